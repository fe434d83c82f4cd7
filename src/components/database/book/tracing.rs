//! `Followed`: what a trace tells of writes: how they get from the primary into the logs of its replicas, also after the answer.

use crate::model::component::Cx;
use crate::model::signal::CallId;
use crate::model::trace::TRACE_LINES_MAX;

use super::BookId;

/// A write of the followed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Write {
    /// The log that holds it.
    log: usize,
    /// Which primary's log that is.
    epoch: u16,
    position: u64,
}

/// The writes of the followed request.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Those that are not lost.
    writes: Vec<Write>,
    /// Of each promotion: the new epoch, and the last position that it took over.
    forks: Vec<(u16, u64)>,
}

impl Followed {
    /// The followed request has written something; false when there is already a newer primary that does not have it.
    fn wrote(&mut self, log: usize, epoch: u16, position: u64) -> bool {
        let is_lost = self.forks.iter().any(|&(newer, start)| newer > epoch && start < position);
        if !is_lost && self.writes.len() < TRACE_LINES_MAX {
            self.writes.push(Write { log, epoch, position });
        }
        !is_lost
    }

    /// Positions of its writes in a log beyond `after` and up to `to`.
    fn written(&self, log: usize, after: u64, to: u64) -> Vec<u64> {
        let positions = self.writes.iter().filter(|write| write.log == log).map(|write| write.position);
        positions.filter(|&position| after < position && position <= to).collect()
    }

    /// A new primary's log begins after `start`: what the old one wrote beyond it is lost. Positions of those writes.
    fn forked(&mut self, epoch: u16, start: u64) -> Vec<u64> {
        self.forks.push((epoch, start));
        let (lost, kept): (Vec<Write>, Vec<Write>) =
            self.writes.iter().partition(|write| write.position > start);
        self.writes = kept;
        lost.into_iter().map(|write| write.position).collect()
    }
}

/// A call has written something at a position of a log. From then on the trace of its request, if it is traced, tells where
/// else the write gets to.
#[inline]
pub fn trace_write(book: BookId, call: CallId, log: usize, epoch: u16, position: u64, cx: &mut Cx<'_>) {
    if !cx.is_followed(call) {
        return;
    }
    let text = match book.of(cx).followed.wrote(log, epoch, position) {
        true => format!("has write {position} of its log on the disk"),
        false => format!("has write {position} of an old log on the disk: it is lost"),
    };
    cx.tell(text);
}

/// This node's copy of a log goes from `after` up to `to` now: tells the trace of each followed write in between.
#[inline]
pub fn trace_log(
    book: BookId,
    log: usize,
    (after, to): (u64, u64),
    cx: &mut Cx<'_>,
    text: impl Fn(u64, &Cx<'_>) -> String,
) {
    if after < to && cx.is_traced() {
        for position in book.of(cx).followed.written(log, after, to) {
            cx.tell(text(position, cx));
        }
    }
}

/// This node is the primary of a log that begins after `start`: tells the trace which writes that loses.
#[inline]
pub fn trace_fork(book: BookId, epoch: u16, start: u64, cx: &mut Cx<'_>) {
    if cx.is_traced() {
        for position in book.of(cx).followed.forked(epoch, start) {
            cx.tell(format!("is the primary without write {position}: it is lost"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_followed_until_a_primary_without_it_takes_over() {
        let mut followed = Followed::default();
        assert!(followed.wrote(0, 0, 5) && followed.wrote(0, 0, 8));
        assert_eq!(followed.written(0, 4, 7), [5]);
        assert_eq!(followed.written(0, 5, 8), [8]);
        assert_eq!(followed.forked(1, 6), [8]);
        assert_eq!(followed.written(0, 0, 9), [5]);
        // The old primary goes on writing: that is lost too. What the new one writes there is not.
        assert!(!followed.wrote(0, 0, 9) && followed.wrote(0, 1, 9));
    }

    #[test]
    fn where_all_write_each_log_is_followed_by_itself() {
        let mut followed = Followed::default();
        assert!(followed.wrote(0, 0, 5) && followed.wrote(1, 0, 8));
        assert_eq!((followed.written(0, 0, 9), followed.written(1, 0, 9)), (vec![5], vec![8]));
    }
}
