//! `Event`: what the calendar holds, packed in two words.
//!
//! An event is written when it is scheduled and, without a delay, read immediately. If it were written as the small
//! fields of an enum and read in larger pieces, each read would wait until the fields have reached the cache. Whole
//! words avoid that.

use crate::kernel::slab;

use super::machine::{Device, MachineId};
use super::signal::{About, Alarm, CallId, ComponentId, Outcome, RequestId};

/// Largest number of components in a simulation.
pub(super) const COMPONENTS_MAX: usize = 1 << TO_BITS;
/// Largest number of crashes of a component in a trial.
pub(super) const EPOCHS_MAX: u32 = 1 << EPOCH_BITS;

const TAG_BITS: u32 = 6;
const TO_BITS: u32 = 20;
const CODE_BITS: u32 = 16;
const EPOCH_BITS: u32 = 22;
const CODE_AT: u32 = TAG_BITS + TO_BITS;
const EPOCH_AT: u32 = CODE_AT + CODE_BITS;
const _: () = assert!(EPOCH_AT + EPOCH_BITS == u64::BITS);

/// What the calendar holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A call arrives at a component.
    Call { to: ComponentId, id: CallId },
    /// An answer arrives at a component.
    Reply { to: ComponentId, id: CallId, outcome: Outcome },
    /// A forwarded call comes back from another component.
    Returned { to: ComponentId, id: CallId, from: ComponentId },
    /// The caller's kernel has had no answer to its attempt to connect for a call: it tries again, or `gives_up`.
    Knock { to: ComponentId, id: CallId, gives_up: bool },
    /// The kernel of `to`, the caller or the callee of a call, has had no acknowledgement of the call or of its answer: it sends that again.
    Resend { to: ComponentId, id: CallId, outcome: Outcome },
    /// The caller of a call tells its callee that it waits no longer.
    Cancel { to: ComponentId, id: CallId },
    /// A timer fires; `epoch` is that of its component when it was set.
    Alarm { to: ComponentId, epoch: u32, alarm: Alarm },
    /// An operation on a component; `place` is the key of its content in the slab.
    Control { to: ComponentId, place: slab::Key },
    /// The next departure from a station of a machine.
    Departure { machine: MachineId, device: Device },
    /// A machine looks at its quota of core time.
    Quota(MachineId),
    /// A planned fault begins or ends.
    Fault(u32),
}

/// An event in two words. The first is an id or a number. The second contains, from its lowest bit, the kind, the
/// component, a code and an epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    id: u64,
    rest: u64,
}

// The size of an event matters most for the speed of the calendar.
const _: () = assert!(size_of::<Packed>() == 16);

/// The numbers of the turns of fleets, which are no numbers of faults.
pub(super) mod fleet_turn {
    use super::ComponentId;

    /// Bit of the number of every turn of a fleet.
    const FLEET: u32 = 1 << 30;
    /// Bit of a turn in which a fleet comes to the size that is wanted.
    const SIZE: u32 = 1 << 29;
    /// Bit of a turn in which an order of the operators is due.
    const ORDER: u32 = 1 << 28;
    /// Bit of a turn in which an operation is due: a purge, or one for which the operators have been called.
    const OPERATION: u32 = 1 << 27;

    /// What a fleet is to do.
    pub(in super::super) enum Turn {
        /// To come to the size that is wanted.
        Size(usize),
        /// To carry out an order of the operators.
        Order(usize),
        /// To carry out the operation of this number.
        Operation(u32),
        /// To take the next step of a member.
        Member(ComponentId),
    }

    /// The number of the turn in which a fleet comes to its size.
    pub(in super::super) const fn size(fleet: usize) -> u32 {
        FLEET | SIZE | fleet as u32
    }

    /// The number of the turn in which an order is due.
    pub(in super::super) const fn order(fleet: usize) -> u32 {
        FLEET | ORDER | fleet as u32
    }

    /// The number of the turn in which an operation is due.
    pub(in super::super) const fn operation(operation: u32) -> u32 {
        FLEET | OPERATION | operation
    }

    /// The number of the turn of a member.
    pub(in super::super) const fn member(of: ComponentId) -> u32 {
        FLEET | of.index() as u32
    }

    /// What a number means; `None` for that of a fault.
    pub(in super::super) fn read(number: u32) -> Option<Turn> {
        let at = (number & !(FLEET | SIZE | ORDER | OPERATION)) as usize;
        match number {
            _ if number & FLEET == 0 => None,
            _ if number & SIZE != 0 => Some(Turn::Size(at)),
            _ if number & ORDER != 0 => Some(Turn::Order(at)),
            _ if number & OPERATION != 0 => Some(Turn::Operation(at as u32)),
            _ => Some(Turn::Member(ComponentId::new(at))),
        }
    }
}

/// The kinds, in the lowest bits.
pub(super) mod tag {
    pub(in super::super) const CALL: u64 = 0;
    pub(in super::super) const REPLY: u64 = 1;
    pub(in super::super) const RETURNED: u64 = 2;
    pub(in super::super) const ALARM: u64 = 3;
    pub(in super::super) const ALARM_CALL: u64 = 4;
    pub(in super::super) const ALARM_REQUEST: u64 = 5;
    pub(in super::super) const ALARM_NUMBER: u64 = 6;
    pub(in super::super) const CONTROL: u64 = 7;
    pub(in super::super) const CPU: u64 = 8;
    pub(in super::super) const DISK: u64 = 9;
    pub(in super::super) const FAULT: u64 = 10;
    pub(in super::super) const ALARM_TURN: u64 = 11;
    pub(in super::super) const KNOCK: u64 = 12;
    pub(in super::super) const CANCEL: u64 = 13;
    pub(in super::super) const QUOTA: u64 = 14;
    pub(in super::super) const RESEND: u64 = 15;
}

#[inline]
fn word(tag: u64, to: ComponentId, code: u64) -> u64 {
    tag | (to.index() as u64) << TAG_BITS | code << CODE_AT
}

impl From<Event> for Packed {
    #[inline(always)]
    fn from(event: Event) -> Packed {
        match event {
            Event::Call { to, id } => Packed { id: id.0.bits(), rest: word(tag::CALL, to, 0) },
            Event::Reply { to, id, outcome } => {
                Packed { id: id.0.bits(), rest: word(tag::REPLY, to, outcome as u64) }
            }
            Event::Returned { to, id, from } => {
                Packed { id: id.0.bits(), rest: word(tag::RETURNED, to, from.index() as u64) }
            }
            Event::Knock { to, id, gives_up } => {
                Packed { id: id.0.bits(), rest: word(tag::KNOCK, to, u64::from(gives_up)) }
            }
            Event::Resend { to, id, outcome } => {
                Packed { id: id.0.bits(), rest: word(tag::RESEND, to, outcome as u64) }
            }
            Event::Cancel { to, id } => Packed { id: id.0.bits(), rest: word(tag::CANCEL, to, 0) },
            Event::Alarm { to, epoch, alarm } => {
                let (tag, id) = match alarm.about {
                    About::Nothing => (tag::ALARM, 0),
                    About::Call(id) => (tag::ALARM_CALL, id.0.bits()),
                    About::Request(id) => (tag::ALARM_REQUEST, id.0.bits()),
                    About::Number(number) => (tag::ALARM_NUMBER, u64::from(number)),
                    About::Turn { user, turn } => {
                        (tag::ALARM_TURN, u64::from(turn) << u32::BITS | u64::from(user))
                    }
                };
                let code = u64::from(alarm.code);
                Packed { id, rest: word(tag, to, code) | u64::from(epoch) << EPOCH_AT }
            }
            Event::Control { to, place } => Packed { id: place.bits(), rest: word(tag::CONTROL, to, 0) },
            Event::Departure { machine, device } => {
                let tag = if device == Device::Cpu { tag::CPU } else { tag::DISK };
                Packed { id: machine.index() as u64, rest: tag }
            }
            Event::Quota(machine) => Packed { id: machine.index() as u64, rest: tag::QUOTA },
            Event::Fault(index) => Packed { id: u64::from(index), rest: tag::FAULT },
        }
    }
}

impl Packed {
    /// Its kind, one of [`tag`]. Handlers branch on the kind directly; making an [`Event`] first would write it, read
    /// it, and branch twice.
    #[inline]
    pub(super) fn tag(self) -> u64 {
        self.rest % (1 << TAG_BITS)
    }

    /// The component that it goes to.
    #[inline]
    pub(super) fn to(self) -> ComponentId {
        ComponentId::new((self.rest >> TAG_BITS) as usize % COMPONENTS_MAX)
    }

    /// The call that it is about; only for kinds that have one.
    #[inline]
    pub(super) fn call(self) -> CallId {
        CallId(self.place())
    }

    /// The request that an alarm is about.
    #[inline]
    pub(super) fn request(self) -> RequestId {
        RequestId(self.place())
    }

    /// The key of a control event's content in the slab.
    #[inline]
    pub(super) fn place(self) -> slab::Key {
        slab::Key::from_bits(self.id)
    }

    /// The number of a fault, or the one that an alarm is about.
    #[inline]
    pub(super) fn number(self) -> u32 {
        self.id as u32
    }

    /// The user and the turn that an alarm is about.
    #[inline]
    pub(super) fn turn(self) -> About {
        About::Turn { user: self.id as u32, turn: (self.id >> u32::BITS) as u32 }
    }

    /// The machine of a departure.
    #[inline]
    pub(super) fn machine(self) -> MachineId {
        MachineId::new(self.id as usize)
    }

    /// The outcome of an answer.
    #[inline]
    pub(super) fn outcome(self) -> Outcome {
        Outcome::ALL[(self.rest >> CODE_AT) as usize % 8]
    }

    /// The component that a call comes back from.
    #[inline]
    pub(super) fn sender(self) -> ComponentId {
        ComponentId::new((self.rest >> CODE_AT) as usize % COMPONENTS_MAX)
    }

    /// The code of an alarm, which its component gave it.
    #[inline]
    pub(super) fn code(self) -> u16 {
        (self.rest >> CODE_AT) as u16
    }

    /// Whether the caller's kernel gives up its attempt to connect.
    #[inline]
    pub(super) fn gives_up(self) -> bool {
        self.code() != 0
    }

    /// Number of crashes of the component when the alarm was set.
    #[inline]
    pub(super) fn epoch(self) -> u32 {
        (self.rest >> EPOCH_AT) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(packed: Packed) -> Event {
        let to = packed.to();
        let alarm =
            |about| Event::Alarm { to, epoch: packed.epoch(), alarm: Alarm { code: packed.code(), about } };
        match packed.tag() {
            tag::CALL => Event::Call { to, id: packed.call() },
            tag::REPLY => Event::Reply { to, id: packed.call(), outcome: packed.outcome() },
            tag::RETURNED => Event::Returned { to, id: packed.call(), from: packed.sender() },
            tag::KNOCK => Event::Knock { to, id: packed.call(), gives_up: packed.gives_up() },
            tag::RESEND => Event::Resend { to, id: packed.call(), outcome: packed.outcome() },
            tag::CANCEL => Event::Cancel { to, id: packed.call() },
            tag::ALARM => alarm(About::Nothing),
            tag::ALARM_CALL => alarm(About::Call(packed.call())),
            tag::ALARM_REQUEST => alarm(About::Request(packed.request())),
            tag::ALARM_NUMBER => alarm(About::Number(packed.number())),
            tag::ALARM_TURN => alarm(packed.turn()),
            tag::CONTROL => Event::Control { to, place: packed.place() },
            tag::CPU => Event::Departure { machine: packed.machine(), device: Device::Cpu },
            tag::QUOTA => Event::Quota(packed.machine()),
            tag::DISK => Event::Departure { machine: packed.machine(), device: Device::Disk },
            _ => Event::Fault(packed.number()),
        }
    }

    #[test]
    fn what_was_packed_comes_out() {
        let id = CallId(slab::Key::from_bits(0xFEDC_BA98_7654_3210));
        let request = RequestId(slab::Key::from_bits(u64::MAX - 7));
        let (to, from) = (ComponentId::new(COMPONENTS_MAX - 1), ComponentId::new(COMPONENTS_MAX - 2));
        let turn = About::Turn { user: u32::MAX - 1, turn: u32::MAX };
        let abouts =
            [About::Nothing, About::Call(id), About::Request(request), About::Number(u32::MAX), turn];
        let alarms = abouts.map(|about| {
            let alarm = Alarm { code: u16::MAX, about };
            Event::Alarm { to, epoch: EPOCHS_MAX - 1, alarm }
        });
        let mut events = Vec::from(alarms);
        events.extend(Outcome::ALL.map(|outcome| Event::Reply { to, id, outcome }));
        events.extend(Outcome::ALL.map(|outcome| Event::Resend { to, id, outcome }));
        events.extend([Event::Call { to, id }, Event::Returned { to, id, from }, Event::Cancel { to, id }]);
        events.extend([false, true].map(|gives_up| Event::Knock { to, id, gives_up }));
        events.extend([Event::Control { to, place: id.0 }, Event::Fault(u32::MAX)]);
        events.push(Event::Quota(MachineId::new(u32::MAX as usize)));
        events.extend(
            [Device::Cpu, Device::Disk]
                .map(|device| Event::Departure { machine: MachineId::new(u32::MAX as usize), device }),
        );
        for event in events {
            assert_eq!(format!("{:?}", unpacked(Packed::from(event))), format!("{event:?}"));
        }
    }
}
