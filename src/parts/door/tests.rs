//! Tests of the door.

use super::super::script::{GAUGES, MEMORY, TICK, call, play};
use super::*;
use crate::model::gauge::GaugeId;
use crate::queueing::concurrency::Concurrency;
use crate::queueing::token_bucket::TokenBucket;

const TIMER: u16 = 7;

fn narrow() -> Limits {
    Limits { slots: 1, queue: 2, timer: TIMER, ..Limits::default() }
}

/// Lets a number of calls come to a door at once; they and what becomes of each.
fn come(door: &mut Door, calls: usize, cx: &mut Cx<'_>) -> (Vec<CallId>, Vec<Verdict>) {
    let comes = |_| {
        let call = call(cx);
        (call, door.admit(call, 0, cx))
    };
    (0..calls).map(comes).unzip()
}

#[test]
fn a_door_without_limits_lets_all_enter() {
    play(1, |_, cx| {
        let (_, verdicts) = come(&mut Door::new(Limits::default()), 1000, cx);
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Enter));
    });
}

#[test]
fn one_enters_some_wait_the_rest_is_turned_away() {
    play(1, |_, cx| {
        use Verdict::{Away, Enter, Wait};
        let (_, verdicts) = come(&mut Door::new(narrow()), 4, cx);
        assert_eq!(verdicts, [Enter, Wait, Wait, Away(Outcome::Rejected)]);
        let (_, verdicts) = come(&mut Door::new(Limits { backlog: 1, ..narrow() }), 5, cx);
        assert_eq!(verdicts, [Enter, Wait, Wait, Wait, Verdict::Drop]);
        let (calls, verdicts) = come(&mut Door::new(Limits { backlog: 1, refuses: true, ..narrow() }), 5, cx);
        assert_eq!(verdicts, [Enter, Wait, Wait, Wait, Away(Outcome::Unavailable)]);
        assert_eq!(cx.get(calls[4]).connection, Connection::Refused);
    });
}

#[test]
fn slots_pass_on_in_the_order_of_arrival() {
    let mut door = Door::new(narrow());
    let mut calls = Vec::new();
    play(4, move |(second, _), cx| {
        if second == 0 {
            (calls, _) = come(&mut door, 3, cx);
            return;
        }
        assert!(door.next(cx).is_none());
        door.leave(calls[0], cx);
        let next = calls.get(second as usize).map(|&call| (call, Verdict::Enter));
        assert_eq!((door.has_next(), door.next(cx)), (next.is_some(), next));
        if let Some((call, _)) = next {
            assert_eq!(cx.get(call).waited, SimDuration::from_secs(second));
        }
    });
}

#[test]
fn a_call_that_has_waited_too_long_leaves_at_that_moment() {
    let mut door = Door::new(Limits { queue_timeout: Some(SimDuration::from_secs(3)), ..narrow() });
    let mut waiting = Vec::new();
    play(8, move |(second, code), cx| match (second, code) {
        (0 | 1, TICK) => waiting.extend(come(&mut door, 2 - second as usize, cx).0),
        (3 | 4, TIMER) => {
            let late = waiting[second as usize - 2];
            assert_eq!((door.overdue(cx), door.overdue(cx)), (Some(late), None));
            assert_eq!(cx.get(late).waited, SimDuration::from_secs(3));
        }
        (_, TIMER) => panic!("nobody is late at {second} s"),
        _ => {}
    });
}

#[test]
fn a_call_that_is_too_old_for_work_gives_its_slot_to_the_next() {
    let mut door = Door::new(Limits { age: Some(SimDuration::from_secs(2)), queue: 3, ..narrow() });
    let mut calls = Vec::new();
    play(4, move |(second, _), cx| {
        if second == 0 {
            calls.extend(come(&mut door, 3, cx).0);
        } else if second == 1 {
            // It will have waited for as long as is allowed.
            calls.extend(come(&mut door, 1, cx).0);
        } else if second == 3 {
            door.leave(calls[0], cx);
            let shed = |at: usize| Some((calls[at], Verdict::Shed));
            assert_eq!([door.next(cx), door.next(cx)], [shed(1), shed(2)]);
            assert_eq!(door.next(cx), Some((calls[3], Verdict::Enter)));
            assert!(door.next(cx).is_none());
        }
    });
}

#[test]
fn each_call_has_the_rate_limit_that_it_names() {
    play(1, |_, cx| {
        let rates = vec![None, Some(Rate::new(TokenBucket::new(1.0, 2), None))];
        let mut door = Door::new(Limits { rates, ..Limits::default() });
        let verdicts = [1, 1, 1, 0, 2].map(|rate| door.admit(call(cx), rate, cx));
        let away = Verdict::Away(Outcome::Throttled);
        assert_eq!(verdicts, [Verdict::Enter, Verdict::Enter, away, Verdict::Enter, Verdict::Enter]);
    });
}

#[test]
fn a_crash_frees_what_was_held() {
    play(1, |_, cx| {
        let rate = Some(Rate::new(TokenBucket::new(1.0, 2), None));
        let mut door = Door::new(Limits { memory_per_call: MEMORY, rates: vec![rate], ..narrow() });
        let (_, before) = come(&mut door, 3, cx);
        assert_eq!(before, [Verdict::Enter, Verdict::Wait, Verdict::Away(Outcome::Throttled)]);
        assert!(!cx.reserve_memory(1));
        door.crash(cx);
        assert_eq!(come(&mut door, 3, cx).1, before);
    });
}

#[test]
fn memory_is_held_with_the_slot() {
    play(1, |_, cx| {
        let limits = Limits { slots: 3, base_memory: MEMORY / 2, memory_per_call: MEMORY / 4, ..narrow() };
        let mut door = Door::new(limits.clone());
        assert!(door.boot(cx));
        let (calls, verdicts) = come(&mut door, 3, cx);
        assert_eq!(verdicts, [Verdict::Enter, Verdict::Enter, Verdict::Away(Outcome::OutOfMemory)]);
        door.leave(calls[0], cx);
        assert!(cx.reserve_memory(MEMORY / 4) && !cx.reserve_memory(1));
        cx.release_memory(MEMORY / 4);
        door.crash(cx);
        assert!(cx.reserve_memory(MEMORY));
        let mut deadly = Door::new(Limits { kills: true, ..limits });
        assert_eq!((deadly.boot(cx), deadly.admit(call(cx), 0, cx)), (false, Verdict::Kill));
    });
}

#[test]
fn a_call_that_waits_takes_memory_with_the_slot() {
    play(1, |_, cx| {
        let limits = Limits { queue: 1, backlog: 1, memory_per_call: MEMORY, ..narrow() };
        let mut door = Door::new(limits);
        let (calls, verdicts) = come(&mut door, 3, cx);
        assert_eq!(verdicts, [Verdict::Enter, Verdict::Wait, Verdict::Wait]);
        door.free(cx);
        assert!(cx.reserve_memory(1));
        door.leave_slot(cx);
        // Both find no memory; the slot of the first passes to the second.
        let away = Verdict::Away(Outcome::OutOfMemory);
        assert_eq!([door.next(cx), door.next(cx)], [Some((calls[1], away)), Some((calls[2], away))]);
        assert_eq!(door.admit_to_slot(call(cx), cx), Verdict::Enter);
    });
}

#[test]
fn beyond_a_limit_of_calls_inside_the_queue_is_of_no_use() {
    play(1, |_, cx| {
        let gauge = GaugeId::of("limit", GAUGES);
        let limit = Some((Concurrency::Fixed(2), gauge));
        let mut door = Door::new(Limits { limit, ..narrow() });
        let (calls, verdicts) = come(&mut door, 3, cx);
        assert_eq!(verdicts, [Verdict::Enter, Verdict::Wait, Verdict::Away(Outcome::Rejected)]);
        door.leave(calls[0], cx);
        assert_eq!(door.next(cx), Some((calls[1], Verdict::Enter)));
        assert_eq!(come(&mut door, 2, cx).1, [Verdict::Wait, Verdict::Away(Outcome::Rejected)]);
    });
}

#[test]
fn calls_take_several_slots_at_once() {
    play(1, |_, cx| {
        let mut door = Door::new(Limits { slots: 4, units: vec![3], ..narrow() });
        let (calls, verdicts) = come(&mut door, 2, cx);
        assert_eq!(verdicts, [Verdict::Enter, Verdict::Wait]);
        // A check takes one, which is free, and passes nobody who waits.
        let check = call(cx);
        assert_eq!((door.admit_to_slot(check, cx), door.holders()), (Verdict::Wait, 1));
        assert_eq!(come(&mut door, 1, cx).1, [Verdict::Away(Outcome::Rejected)]);
        door.leave(calls[0], cx);
        let begin = |call| Some((call, Verdict::Enter));
        assert_eq!([door.next(cx), door.next(cx), door.next(cx)], [begin(calls[1]), begin(check), None]);
        door.leave_slot(cx);
        assert_eq!(come(&mut door, 1, cx).1, [Verdict::Wait]);
    });
}
