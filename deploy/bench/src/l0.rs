//! L0, the raw broker hop: the frames of all pumps through the broker to one plain subscriber.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use ecmo_proto::sealed;
use ecmo_proto::topic::Id;
use tokio::time::timeout;

use crate::background::Background;
use crate::clock;
use crate::frames::pumps;
use crate::mqtt::{Fleet, subscribe};
use crate::pace::{Pacer, Schedule};
use crate::plan::{LEAD_NS, Plan};
use crate::series::Times;

/// How long the last frames may take.
const TAIL_MAX: Duration = Duration::from_secs(10);

/// What one round measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// From the intended publication to the subscriber.
    pub(crate) times: Times,
    /// How late the pacing was: part of every latency of this program.
    pub(crate) lateness: Times,
    /// Mean length of a frame, in bytes.
    pub(crate) frame_bytes: usize,
}

/// Measures one round.
pub(crate) async fn measure(
    broker: SocketAddr,
    plan: &Plan,
    round: u32,
) -> anyhow::Result<Measured> {
    let ward = Id::new(&format!("bench-l0-{round}"))?;
    let crossings = plan.crossings();
    let total = plan.frames_of_all();

    // 1. The subscriber.
    let threads = Background::start("subscriber", Some(1))?;
    let (result_to, result) = tokio::sync::oneshot::channel();
    let mut result_to = Some(result_to);
    let (mut times, mut left, mut bytes) = (Times::default(), total, 0);
    let first = crossings.first;
    let reading = subscribe(&threads, broker, ward.clone(), move |publish| {
        let at_ns = clock::now_ns();
        if let Ok(frame) = sealed::open::<ecmo_proto::v1::Frame>(&publish.payload)
            && frame.sequence >= first
        {
            times.record(at_ns.saturating_sub(frame.publish_mono_ns));
        }
        left = left.saturating_sub(1);
        bytes += publish.payload.len();
        if left == 0
            && let Some(result_to) = result_to.take()
        {
            let got = (std::mem::take(&mut times), bytes);
            // Nobody waits any more when the round was given up.
            let _round_given_up = result_to.send(got);
        }
        left > 0
    })
    .await?;

    // 2. The pumps.
    let (addresses, pumps) = pumps(plan, &ward, crossings)?;
    let fleet =
        Fleet::connect(broker, addresses.into_iter().map(|it| (it, None)).collect()).await?;
    // Kept here too: when the pacing ends, the last frames are still on their way.
    let fleet = Arc::new(fleet);
    let publisher = Arc::clone(&fleet);
    let schedule =
        Schedule { start_ns: clock::now_ns() + LEAD_NS, sources: plan.pumps, rate: plan.rate };
    let pacer = Pacer::start(schedule, total, move |event| {
        let pump = usize::try_from(event.source).ok().and_then(|place| pumps.get(place));
        if let Some(pump) = pump {
            publisher.publish(event.source, pump.frame(event));
        }
    })?;

    // 3. Until the last frame is there.
    let lateness = pacer.finish().await?;
    fleet.check()?;
    let ended = timeout(TAIL_MAX, result).await;
    let ended = ended.with_context(|| {
        format!("not all of {total} frames came through the broker: it dropped some")
    })?;
    let Ok((times, bytes)) = ended else {
        reading.await.context("the subscriber panicked")??;
        anyhow::bail!("the subscriber ended early")
    };
    ensure!(times.count() > 0, "no frame was measured");
    let frame_bytes = bytes / usize::try_from(total)?.max(1);
    Ok(Measured { times, lateness, frame_bytes })
}
