//! The real agent, run in the test's process.
#![cfg(test)]

use std::net::SocketAddr;

use ecmo_agent::{RunError, Settings, Summary};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::display::SOON;
use crate::hand::address;

/// Settings of a healthy simulated circuit.
pub(crate) fn simulated(pump: &str, broker: SocketAddr) -> Settings {
    Settings::simulated(address(pump), format!("mqtt://{broker}").parse().unwrap(), 1)
}

/// An agent that runs as a task.
pub(crate) struct RunningAgent {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Summary, RunError>>,
}

impl RunningAgent {
    pub(crate) fn start(settings: Settings) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async {
            // Stopped by a message; a test that just ends drops the sender.
            let _either_way = stopped.await;
        };
        Self { stop, task: tokio::spawn(ecmo_agent::run(settings, until)) }
    }

    /// Stops it as an operator does.
    pub(crate) async fn stop(self) -> Summary {
        drop(self.stop);
        let end = tokio::time::timeout(SOON, self.task).await.expect("the agent stops");
        end.expect("no panic").expect("no error")
    }

    /// Ends it as a crash does: nothing more is said.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}
