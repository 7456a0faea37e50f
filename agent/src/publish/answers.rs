//! Answers requests for backfill on the path on which they came, behind everything that is live.
//!
//! One part is under way at a time, and the next one is read when the broker has acknowledged it: so a slow network slows the
//! backfill, and what a live frame may find ahead of it is one part.

use core::convert::Infallible;
use core::time::Duration;
use std::sync::Arc;

use rumqttc::{AsyncClient, QoS};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::backlog::Open;
use super::part::{self, Archive, Part};
use super::path::Lost;
use super::seen::Seen;
use super::{Shared, lock};
use crate::clock;
use crate::queue::FrameQueue;

/// Longest wait for the broker to acknowledge a part. Far longer than on a link that carries live frames; after it the
/// broker has lost it, and a client that waits for a lost acknowledgement waits for ever.
const ACKNOWLEDGE_MAX: Duration = Duration::from_secs(30);

/// Wait before it is looked again whether nothing live is waiting: a fraction of the time between two frames.
const AFTER_LIVE: Duration = Duration::from_millis(5);

/// Answers for as long as the connection lasts; returns when it is to be given up.
pub(super) async fn answer(
    shared: &Shared,
    live: &FrameQueue,
    client: &AsyncClient,
    seen: &Seen<'_>,
) -> Lost {
    let Some(archive) = &shared.archive else {
        // Nothing is kept, so nothing is answered: gateways see no extents and ask for none.
        return core::future::pending().await;
    };
    match answer_all(shared, archive, live, client, seen).await {
        Ok(never) => match never {},
        Err(lost) => lost,
    }
}

async fn answer_all(
    shared: &Shared,
    archive: &Arc<dyn Archive>,
    live: &FrameQueue,
    client: &AsyncClient,
    seen: &Seen<'_>,
) -> Result<Infallible, Lost> {
    loop {
        let next = seen.backlog().next(clock::now());
        let Some(open) = next else {
            seen.asked().await;
            continue;
        };
        let Some(part) = read(shared, archive, &open).await else {
            // The gateway asks again; meanwhile its other requests and those of other gateways have their turn.
            shared.counters.backfill_failures.add(1);
            seen.backlog().answered(&open, None);
            continue;
        };
        pay(shared, part.bytes.len()).await;
        let (frames, next) = (part.frames, part.next);
        let number = send(shared, live, client, seen, part).await;
        let acknowledged = seen.until(|progress| progress.acks.is_done(number));
        timeout(ACKNOWLEDGE_MAX, acknowledged).await.map_err(|_late| Lost::NotAcknowledged)?;
        shared.counters.backfill_parts.add(1);
        shared.counters.backfill_frames.add(frames);
        seen.backlog().answered(&open, next);
    }
}

/// Reads on a thread that may wait for the disk; `None` when it cannot be read.
async fn read(shared: &Shared, archive: &Arc<dyn Archive>, open: &Open) -> Option<Part> {
    let (archive, pump) = (Arc::clone(archive), shared.announcer.pump().to_owned());
    let open = open.clone();
    let (gateway, number) = (open.gateway.clone(), open.request.number);
    let made = spawn_blocking(move || part::make(archive.as_ref(), &pump, &open)).await;
    match made {
        Ok(Ok(part)) => Some(part),
        Ok(Err(error)) => {
            tracing::warn!(gateway, number, %error, "the spool cannot be read");
            None
        }
        Err(error) => {
            tracing::error!(gateway, number, %error, "reading the spool failed");
            None
        }
    }
}

/// Waits for the share of the network, over all paths.
async fn pay(shared: &Shared, bytes: usize) {
    loop {
        let wait = {
            let now = clock::now();
            let mut bucket = lock(&shared.bucket);
            let wait = bucket.wait(now);
            if wait.is_zero() {
                bucket.spend(u32::try_from(bytes).unwrap_or(u32::MAX), now);
                return;
            }
            wait
        };
        sleep(wait).await;
    }
}

/// Hands a part over at a moment at which nothing live waits; its number among what is acknowledged.
async fn send(
    shared: &Shared,
    live: &FrameQueue,
    client: &AsyncClient,
    seen: &Seen<'_>,
    part: Part,
) -> u64 {
    let topic = shared.announcer.topics().backfill.as_str();
    loop {
        let bytes = part.bytes.clone();
        if live.is_empty() && client.try_publish(topic, QoS::AtLeastOnce, false, bytes).is_ok() {
            return seen.hand();
        }
        sleep(AFTER_LIVE).await;
    }
}
