//! Where a loop of `record.rs` keeps a request on its way: in one record that moves along, or in a request and a call for
//! each hop, as outgrow does. The loop is the same, so that the two differ by that alone.

use outgrow::kernel::slab::{Key, Slab};
use outgrow::kernel::time::{SimDuration, SimTime};

use crate::books::Ended;

/// The hops of a request, by their depth.
pub(crate) const AT_BALANCER: usize = 0;
pub(crate) const AT_WEB: usize = 1;
pub(crate) const AT_DATABASE: usize = 2;
const HOPS: usize = 3;

/// A request that begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    /// Where its draws start.
    pub(crate) key: u64,
    pub(crate) number: u64,
    pub(crate) class: u16,
    pub(crate) issued: SimTime,
}

/// What a box reads of a call that comes to it, or for which its work is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) key: u64,
    pub(crate) number: u64,
    pub(crate) class: u16,
}

/// A call that is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stay {
    pub(crate) arrived: SimTime,
    pub(crate) waited: SimDuration,
    pub(crate) caller: usize,
}

/// A balancer's call that has come back: the target that had it, since when, and the call that it was made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relayed {
    pub(crate) id: Key,
    pub(crate) target: usize,
    pub(crate) at: SimTime,
}

/// The requests under way. A key is that of a request or of a call, as the store has it.
pub(crate) trait Hops {
    fn new() -> Self;

    /// Number of calls alive.
    fn len(&self) -> usize;

    /// A request begins. Returns its key.
    fn begin(&mut self, begun: Begun) -> Key;

    /// Whether a request has not ended.
    fn awaits(&self, request: Key) -> bool;

    /// The client calls a box on behalf of a request.
    fn call(&mut self, request: Key, from: usize, to: usize) -> Key;

    /// The call `id`, at this depth, comes to its box.
    fn arrive(&mut self, id: Key, depth: usize, now: SimTime) -> Told;

    /// The box that has the call `id` calls another one, at this depth, whose draws start from `key`.
    fn send(&mut self, id: Key, depth: usize, from: usize, to: usize, key: u64) -> Key;

    /// The balancer notes which target has its call.
    fn relay(&mut self, id: Key, child: Key, target: usize, now: SimTime);

    /// The work for a call is done, for which it has waited.
    fn done(&mut self, id: Key, depth: usize, waited: SimDuration) -> Told;

    /// A call is answered.
    fn answer(&mut self, id: Key, depth: usize) -> Stay;

    /// The number of the request whose answer has come.
    fn number(&self, id: Key) -> u64;

    /// The answer of a web server has come to the balancer.
    fn relayed(&mut self, id: Key) -> Relayed;

    /// The call on whose behalf this one was made, which ends here.
    fn parent(&mut self, id: Key) -> Key;

    /// The answer has come to the client.
    fn end(&mut self, id: Key) -> Ended;
}

/// One hop in a record. `REST` words stand for what a call keeps besides while it waits for another one: step, repetitions,
/// pending answers, flags, a mark, an answer and the state of its connection.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "what it costs to write the rest is measured too")]
struct Hop<const REST: usize> {
    /// Where its draws start.
    key: u64,
    arrived: SimTime,
    waited: SimDuration,
    rest: [u64; REST],
}

/// One record a request.
#[derive(Clone, Copy, Debug)]
struct Record<const REST: usize> {
    number: u64,
    issued: SimTime,
    class: u16,
    attempt: u16,
    target: u16,
    /// Which box has it, by depth; the client first.
    boxes: [u8; HOPS + 1],
    hops: [Hop<REST>; HOPS],
}

/// A record a request, which all boxes on its way write to.
pub(crate) struct OneRecord<const REST: usize>(Slab<Record<REST>>);

/// A record with what this model needs, and nothing else.
pub(crate) type Bare = OneRecord<0>;
/// A record with hops of 64 bytes, half of a call of outgrow.
pub(crate) type Roomy = OneRecord<5>;

const _: () = assert!(size_of::<Record<0>>() == 104 && size_of::<Hop<5>>() == 64);

impl<const REST: usize> Hop<REST> {
    const fn of(key: u64) -> Hop<REST> {
        Hop { key, arrived: SimTime::ZERO, waited: SimDuration::ZERO, rest: [0; REST] }
    }
}

impl<const REST: usize> OneRecord<REST> {
    #[inline(always)]
    fn get(&self, id: Key) -> &Record<REST> {
        self.0.get(id).expect("a request under way has its record")
    }

    #[inline(always)]
    fn get_mut(&mut self, id: Key) -> &mut Record<REST> {
        self.0.get_mut(id).expect("a request under way has its record")
    }
}

impl<const REST: usize> Hops for OneRecord<REST> {
    fn new() -> OneRecord<REST> {
        OneRecord(Slab::new(Record {
            number: 0,
            issued: SimTime::ZERO,
            class: 0,
            attempt: 0,
            target: 0,
            boxes: [0; HOPS + 1],
            hops: [Hop::of(0); HOPS],
        }))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn begin(&mut self, Begun { key, number, class, issued }: Begun) -> Key {
        let (boxes, hops) = ([0; HOPS + 1], [Hop::of(key); HOPS]);
        self.0.insert(Record { number, issued, class, attempt: 1, target: 0, boxes, hops })
    }

    #[inline(always)]
    fn awaits(&self, request: Key) -> bool {
        self.0.contains(request)
    }

    #[inline(always)]
    fn call(&mut self, request: Key, from: usize, to: usize) -> Key {
        self.get_mut(request).boxes[..2].copy_from_slice(&[from as u8, to as u8]);
        request
    }

    #[inline(always)]
    fn arrive(&mut self, id: Key, depth: usize, now: SimTime) -> Told {
        let record = self.get_mut(id);
        record.hops[depth].arrived = now;
        Told { key: record.hops[depth].key, number: record.number, class: record.class }
    }

    #[inline(always)]
    fn send(&mut self, id: Key, depth: usize, _from: usize, to: usize, key: u64) -> Key {
        let record = self.get_mut(id);
        record.hops[depth].key = key;
        record.boxes[depth + 1] = to as u8;
        id
    }

    #[inline(always)]
    fn relay(&mut self, id: Key, _child: Key, target: usize, _now: SimTime) {
        // It is sent on at the moment at which it arrives.
        self.get_mut(id).target = target as u16;
    }

    #[inline(always)]
    fn done(&mut self, id: Key, depth: usize, waited: SimDuration) -> Told {
        let record = self.get_mut(id);
        record.hops[depth].waited += waited;
        Told { key: record.hops[depth].key, number: record.number, class: record.class }
    }

    #[inline(always)]
    fn answer(&mut self, id: Key, depth: usize) -> Stay {
        let record = self.get(id);
        let Hop { arrived, waited, .. } = record.hops[depth];
        Stay { arrived, waited, caller: usize::from(record.boxes[depth]) }
    }

    #[inline(always)]
    fn number(&self, id: Key) -> u64 {
        self.get(id).number
    }

    #[inline(always)]
    fn relayed(&mut self, id: Key) -> Relayed {
        let record = self.get(id);
        Relayed { id, target: usize::from(record.target), at: record.hops[AT_BALANCER].arrived }
    }

    #[inline(always)]
    fn parent(&mut self, id: Key) -> Key {
        id
    }

    #[inline(always)]
    fn end(&mut self, id: Key) -> Ended {
        let &Record { class, attempt, issued, .. } = self.get(id);
        self.0.remove(id);
        Ended { class, attempt, issued }
    }
}

/// A request, with the fields that one of outgrow has.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "what it costs to write them is measured too")]
struct Request {
    key: u64,
    number: u64,
    identity: u64,
    issued: SimTime,
    call: Key,
    pause: SimDuration,
    client: u32,
    user: u32,
    turn: u32,
    list: u32,
    class: u16,
    attempt: u16,
    asked: u16,
    measured: bool,
    pausing: bool,
}

/// One hop of a request, with the fields that a call of outgrow has.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "what it costs to write them is measured too")]
struct Call {
    key: u64,
    number: u64,
    identity: u64,
    arrived: SimTime,
    waited: SimDuration,
    answer: u64,
    /// What it serves: a request for the first hop, else a call.
    parent: Key,
    ask: [u32; 5],
    client: u32,
    caller: u32,
    callee: u32,
    via: u32,
    trail: u32,
    user: u32,
    /// What the callee keeps about it: the place of a relay.
    mark: Key,
    step: u16,
    left: u16,
    pending: u16,
    class: u16,
    flags: u8,
    parent_is: u8,
    connection: u8,
    stage: u8,
    awaited: bool,
    watched: bool,
    failed_below: bool,
    knocks: u8,
}

// As large as those of outgrow.
const _: () = assert!(size_of::<Call>() == 128 && size_of::<Request>() == 72);

/// What a balancer keeps about a call that it has sent on, as large as outgrow's.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "what it costs to write them is measured too")]
struct Relay {
    call: Key,
    child: Key,
    at: SimTime,
    began: SimTime,
    target: u16,
    hedges: u16,
    tries: u16,
    outcome: u16,
    tried: [u16; 8],
}

/// A request, and a call for each hop.
pub(crate) struct CallAHop {
    requests: Slab<Request>,
    calls: Slab<Call>,
    relays: Slab<Relay>,
}

const INSIDE: u8 = 1;
const ANSWERED: u8 = 2;

impl Request {
    const BLANK: Request = Request {
        key: 0,
        number: 0,
        identity: 0,
        issued: SimTime::ZERO,
        call: Key::NONE,
        pause: SimDuration::ZERO,
        client: 0,
        user: u32::MAX,
        turn: 0,
        list: u32::MAX,
        class: 0,
        attempt: 0,
        asked: 0,
        measured: false,
        pausing: false,
    };
}

impl Call {
    const BLANK: Call = Call {
        key: 0,
        number: 0,
        identity: 0,
        arrived: SimTime::ZERO,
        waited: SimDuration::ZERO,
        answer: 0,
        parent: Key::NONE,
        ask: [0; 5],
        client: 0,
        caller: 0,
        callee: 0,
        via: u32::MAX,
        trail: 0,
        user: u32::MAX,
        mark: Key::NONE,
        step: 0,
        left: 0,
        pending: 0,
        class: 0,
        flags: 0,
        parent_is: 0,
        connection: 0,
        stage: 0,
        awaited: true,
        watched: false,
        failed_below: false,
        knocks: 0,
    };
}

impl Relay {
    const BLANK: Relay = Relay {
        call: Key::NONE,
        child: Key::NONE,
        at: SimTime::ZERO,
        began: SimTime::ZERO,
        target: 0,
        hedges: 0,
        tries: 0,
        outcome: 0,
        tried: [0; 8],
    };
}

impl CallAHop {
    #[inline(always)]
    fn get(&self, id: Key) -> &Call {
        self.calls.get(id).expect("a call under way is alive")
    }

    #[inline(always)]
    fn get_mut(&mut self, id: Key) -> &mut Call {
        self.calls.get_mut(id).expect("a call under way is alive")
    }
}

impl Hops for CallAHop {
    fn new() -> CallAHop {
        CallAHop {
            requests: Slab::new(Request::BLANK),
            calls: Slab::new(Call::BLANK),
            relays: Slab::new(Relay::BLANK),
        }
    }

    fn len(&self) -> usize {
        self.calls.len()
    }

    #[inline(always)]
    fn begin(&mut self, Begun { key, number, class, issued }: Begun) -> Key {
        let request = Request { key, number, class, issued, attempt: 1, measured: true, ..Request::BLANK };
        self.requests.insert(request)
    }

    #[inline(always)]
    fn awaits(&self, request: Key) -> bool {
        self.requests.get(request).is_some_and(|request| request.attempt == 1 && !request.pausing)
    }

    #[inline(always)]
    fn call(&mut self, request: Key, from: usize, to: usize) -> Key {
        let state = self.requests.get_mut(request).expect("a call has a request that is under way");
        let &mut Request { key, number, class, client, user, identity, .. } = state;
        let call = Call {
            key,
            number,
            identity,
            client,
            class,
            user,
            caller: from as u32,
            callee: to as u32,
            parent: request,
            ..Call::BLANK
        };
        let id = self.calls.insert(call);
        state.call = id;
        id
    }

    #[inline(always)]
    fn arrive(&mut self, id: Key, _depth: usize, now: SimTime) -> Told {
        let call = self.get_mut(id);
        (call.stage, call.arrived) = (INSIDE, now);
        Told { key: call.key, number: call.number, class: call.class }
    }

    #[inline(always)]
    fn send(&mut self, id: Key, _depth: usize, from: usize, to: usize, key: u64) -> Key {
        let &Call { number, identity, client, class, user, trail, .. } = self.get(id);
        self.calls.insert(Call {
            key,
            number,
            identity,
            client,
            class,
            user,
            trail,
            caller: from as u32,
            callee: to as u32,
            parent: id,
            parent_is: 1,
            ..Call::BLANK
        })
    }

    #[inline(always)]
    fn relay(&mut self, id: Key, child: Key, target: usize, now: SimTime) {
        let relay = Relay { call: id, child, at: now, began: now, target: target as u16, ..Relay::BLANK };
        let place = self.relays.insert(relay);
        self.get_mut(id).mark = place;
    }

    #[inline(always)]
    fn done(&mut self, id: Key, _depth: usize, waited: SimDuration) -> Told {
        let call = self.get_mut(id);
        call.waited += waited;
        Told { key: call.key, number: call.number, class: call.class }
    }

    #[inline(always)]
    fn answer(&mut self, id: Key, _depth: usize) -> Stay {
        let call = self.get_mut(id);
        assert!(call.stage == INSIDE, "a call is answered once");
        call.stage = ANSWERED;
        Stay { arrived: call.arrived, waited: call.waited, caller: call.caller as usize }
    }

    #[inline(always)]
    fn number(&self, id: Key) -> u64 {
        self.get(id).number
    }

    #[inline(always)]
    fn relayed(&mut self, id: Key) -> Relayed {
        let call = self.parent(id);
        let place = self.get(call).mark;
        let Relay { call, target, at, .. } = self.relays.remove(place).expect("a call leaves once");
        Relayed { id: call, target: usize::from(target), at }
    }

    #[inline(always)]
    fn parent(&mut self, id: Key) -> Key {
        let parent = self.get(id).parent;
        self.calls.remove(id);
        parent
    }

    #[inline(always)]
    fn end(&mut self, id: Key) -> Ended {
        let request = self.parent(id);
        let Request { class, issued, attempt, .. } =
            self.requests.remove(request).expect("a request ends once");
        Ended { class, attempt, issued }
    }
}
