//! Threads with a runtime of their own, so that each part has its share of the machine as if it were a program.

use std::ops::Deref;

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime that ends with its owner; it may be dropped inside another runtime.
#[derive(Debug)]
pub(crate) struct Background(Option<Runtime>, Handle);

impl Background {
    /// With so many threads; `None` lets tokio choose, as the gateway does for its displays.
    pub(crate) fn start(name: &str, threads: Option<usize>) -> anyhow::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        if let Some(threads) = threads {
            builder.worker_threads(threads);
        }
        let runtime = builder
            .thread_name(name)
            .enable_all()
            .build()
            .with_context(|| format!("cannot start the threads of the {name}"))?;
        let handle = runtime.handle().clone();
        Ok(Self(Some(runtime), handle))
    }
}

impl Deref for Background {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.1
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for the threads here would block whoever drops it.
            runtime.shutdown_background();
        }
    }
}
