//! The only file that starts threads. Without the feature `threads` the caller does all work itself, in order, with the
//! same results.

/// The answers to tasks, in the order of the tasks, computed by `jobs` threads; 0 means one thread for each core.
///
/// # Panics
/// If a task panics, or if the threads cannot be started.
pub(super) fn each<T, R>(jobs: usize, tasks: Vec<T>, answer: impl Fn(T) -> R + Send + Sync) -> Vec<R>
where
    T: Send,
    R: Send,
{
    #[cfg(feature = "threads")]
    {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        pool(jobs).install(|| tasks.into_par_iter().map(answer).collect())
    }
    #[cfg(not(feature = "threads"))]
    {
        let _ = jobs;
        tasks.into_iter().map(answer).collect()
    }
}

/// Does the same work on each of `jobs` threads; 0 means one thread for each core. The work itself divides the tasks
/// among the threads.
///
/// # Panics
/// If the work panics, or if the threads cannot be started.
pub(super) fn together(jobs: usize, work: impl Fn() + Sync) {
    #[cfg(feature = "threads")]
    pool(jobs).broadcast(|_| work());
    #[cfg(not(feature = "threads"))]
    {
        let _ = jobs;
        work();
    }
}

#[cfg(feature = "threads")]
fn pool(jobs: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("threads can be started")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn answers_stand_in_the_order_of_their_tasks() {
        let squares = |jobs| each(jobs, (0..100).collect(), |n: u32| n * n);
        assert_eq!(squares(1), (0..100).map(|n| n * n).collect::<Vec<u32>>());
        assert_eq!(squares(3), squares(1));
    }

    #[test]
    fn together_works_on_each_thread_once() {
        let seen = AtomicU32::new(0);
        together(2, || {
            seen.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(seen.into_inner(), if cfg!(feature = "threads") { 2 } else { 1 });
    }
}
