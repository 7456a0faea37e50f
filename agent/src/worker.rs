//! A thread of the agent whose end is noticed, whether it was asked for or not.

use std::any::Any;
use std::thread::{self, JoinHandle, Thread};

use tokio::sync::oneshot;

/// A named thread that runs until its work ends. Dropping it does not end it.
#[derive(Debug)]
pub struct Worker {
    name: &'static str,
    ended: oneshot::Receiver<()>,
    has_ended: bool,
    thread: JoinHandle<()>,
}

/// A thread panicked: a fault of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("thread {0} panicked; see the log, and report it")]
pub struct Panicked(pub &'static str);

impl Worker {
    /// Starts a thread; the system keeps at most 15 bytes of its name.
    ///
    /// # Errors
    /// The system refuses another thread.
    pub fn start(
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let (alive, ended) = oneshot::channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Dropped when the thread ends in whatever way: that is how the end is noticed.
            let _alive: oneshot::Sender<()> = alive;
            work();
        })?;
        Ok(Self { name, ended, has_ended: false, thread })
    }

    /// The thread, for waking it.
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.thread.thread()
    }

    /// Waits until the thread has ended.
    pub async fn ended(&mut self) {
        if !self.has_ended {
            // The sender is never used, only dropped.
            let _sender_dropped = (&mut self.ended).await;
            self.has_ended = true;
        }
    }

    /// Waits for the end, and tells how it was.
    ///
    /// # Errors
    /// The thread panicked.
    pub async fn join(mut self) -> Result<(), Panicked> {
        self.ended().await;
        let name = self.name;
        self.thread.join().map_err(|_panic: Box<dyn Any + Send>| Panicked(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_thread_is_noticed_and_told_with_its_name() {
        let mut worker = Worker::start("ecmo-trial", || panic!("on purpose")).unwrap();
        worker.ended().await;
        assert_eq!(worker.join().await, Err(Panicked("ecmo-trial")));
        let worker = Worker::start("ecmo-trial", || {}).unwrap();
        assert_eq!(worker.join().await, Ok(()));
    }
}
