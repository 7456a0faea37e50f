//! A fixed amount of work for an instruction counter: alarm changes into the mailboxes of displays, and out as bytes.
//!
//! The difference of a long and a short run, divided by the deliveries, is what one costs: a number that does not depend on how
//! busy the machine is. `cargo xtask bench instructions` runs it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Waiting, Poll, Waker};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::BytesMut;
use ecmo_core::alarm::occurrence::Occurrence;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::frame::Frame;
use ecmo_core::pump::Pump;
use ecmo_core::time::{ClockMap, Instant};
use ecmo_gateway::fanout::{
    AlarmItem, AlarmMailbox, AlarmUpdate, Encoded, Handed, PathTimes, Stamped, alarm_mailbox,
};
use ecmo_gateway::grpc::write_item;
use ecmo_proto::topic::{Id, PumpAddress};

use crate::args::Work;

/// Keeps the first occurrence that is raised.
#[derive(Default)]
struct First(Option<Occurrence>);

impl Output for First {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, change: AlarmChange<'_>) {
        self.0.get_or_insert_with(|| change.occurrence.clone());
    }
}

/// An alarm as any: of a pump that is expected and was never heard.
fn update() -> anyhow::Result<AlarmUpdate> {
    let (start, mut first) = (Instant::default(), First::default());
    let profile = Arc::new(ecmo_profile::starter());
    let mut pump = Pump::new(profile, Duration::from_millis(100), start);
    for second in 1..=10 {
        pump.on_tick(start.plus(Duration::from_secs(second)), &mut first);
    }
    let address = PumpAddress { ward: Id::new("nicu")?, pump: Id::new("pump-1")? };
    Ok(AlarmUpdate {
        address: Some(address),
        ward: None,
        gateway: Arc::from("gateway"),
        redirected: false,
        occurrence: first.0.context("a pump that is silent raises no alarm")?,
        transition: None,
        onset_wall_ns: 1_800_000_000_000_000_000,
        path: PathTimes {
            sampled_to_published: Some(Duration::from_millis(20)),
            published_to_received: Some(Duration::from_micros(200)),
            received_to_decided: Some(Duration::from_micros(20)),
        },
    })
}

/// What lies in a mailbox.
fn take(mailbox: &mut AlarmMailbox) -> anyhow::Result<Handed> {
    let mut waiting = Waiting::from_waker(Waker::noop());
    match pin!(mailbox.next()).poll(&mut waiting) {
        Poll::Ready(Ok(item)) => Ok(item),
        Poll::Ready(Err(end)) => bail!("a mailbox ended: {end:?}"),
        Poll::Pending => bail!("a mailbox is empty"),
    }
}

/// Does the work, and prints how many bytes came of it.
pub(crate) fn run(work: &Work) -> anyhow::Result<()> {
    let mut update = update()?;
    let mut displays: Vec<_> =
        (0..work.displays).map(|_| (alarm_mailbox(None, None), BytesMut::new())).collect();
    let mut bytes = 0;
    for number in 0..work.changes {
        update.occurrence.revision = number + 1;
        let made_at = Instant::from_nanos(1_000_000_000 + u64::from(number));
        let item = AlarmItem::Change(Arc::new(Encoded::new(update.clone())));
        let stamped = Stamped { item, made_at, wall_ns: 1_800_000_000_000_000_000 };
        let item: Handed = Arc::new(Encoded::new(stamped));
        for ((outlet, _), _) in &displays {
            outlet.hand_over(&item).map_err(|end| anyhow::anyhow!("not handed over: {end:?}"))?;
        }
        for ((_, mailbox), out) in &mut displays {
            let item = take(mailbox)?;
            out.clear();
            write_item(&item, 7, u64::from(number), out);
            bytes += out.len();
        }
    }
    println!("{bytes} bytes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_proto::v1;
    use prost::Message as _;

    #[test]
    fn what_is_counted_is_a_message_that_a_display_can_read() {
        let update = update().unwrap();
        let item = AlarmItem::Change(Arc::new(Encoded::new(update)));
        let stamped = Stamped { item, made_at: Instant::from_nanos(5), wall_ns: 6 };
        let (outlet, mut mailbox) = alarm_mailbox(None, None);
        outlet.hand_over(&Arc::new(Encoded::new(stamped))).unwrap();
        let mut out = BytesMut::new();
        write_item(&take(&mut mailbox).unwrap(), 7, 3, &mut out);
        let message = v1::WatchAlarmsResponse::decode(out.freeze()).unwrap();
        assert_eq!((message.epoch, message.sequence, message.now_mono_ns), (7, 3, 5));
        let Some(v1::watch_alarms_response::Update::Alarm(alarm)) = message.update else {
            panic!("no alarm: {message:?}")
        };
        assert_eq!((alarm.ward.as_str(), alarm.pump.as_str()), ("nicu", "pump-1"));
        assert!(take(&mut mailbox).is_err());
    }
}
