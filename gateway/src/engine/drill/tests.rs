//! The synthetic pump is read by the same decoder and sequence as any other.

use bytes::Bytes;
use ecmo_proto::sealed::seal;
use ecmo_proto::v1;
use prost::Message as _;

use super::*;
use crate::metrics::BrokerPath;

const QUIET: i32 = 2_000;

struct World {
    drill: Drill,
    now: Instant,
}

fn birth(boot: u64) -> Bytes {
    let channel = v1::Channel {
        id: "pump.speed".to_owned(),
        unit: "{rev}/min".to_owned(),
        rate_hz: 1.0,
        scale: 1.0,
        ..v1::Channel::default()
    };
    let birth = v1::Birth {
        pump: "gw-a".to_owned(),
        boot_id: boot,
        channels: vec![channel],
        ..v1::Birth::default()
    };
    birth.encode_to_vec().into()
}

impl World {
    fn new() -> Self {
        let profile = ecmo_profile::starter();
        let now = Instant::from_millis(60_000);
        let mut world = Self { drill: Drill::new(&Id::new("gw-a").unwrap(), &profile, now), now };
        assert!(world.take("birth", birth(7), BrokerPath::A).is_none());
        world
    }

    fn take(&mut self, kind: &str, payload: Bytes, path: BrokerPath) -> Option<DrillDecision> {
        self.take_of("gw-a", kind, payload, path)
    }

    fn take_of(
        &mut self,
        gateway: &str,
        kind: &str,
        payload: Bytes,
        path: BrokerPath,
    ) -> Option<DrillDecision> {
        let topic = format!("ecmo/v1/_drill/{gateway}/{kind}");
        assert!(concerns(&topic));
        let retained = kind == "birth";
        self.drill.on_arrival(&Arrival { topic, payload, retained, received: self.now, path })
    }

    /// One frame with one sample, taken a millisecond ago.
    fn frame(&mut self, sequence: u64, speed: i32) -> Bytes {
        self.now = self.now.plus(Duration::from_secs(1));
        let start_mono_ns = self.now.as_nanos() - 1_000_000;
        let block = v1::SampleBlock {
            first_index: sequence,
            interval_us: 1_000_000,
            counts: vec![speed],
            ..v1::SampleBlock::default()
        };
        seal(&v1::Frame {
            pump: "gw-a".to_owned(),
            boot_id: 7,
            sequence,
            start_mono_ns,
            publish_mono_ns: start_mono_ns + 500_000,
            blocks: vec![block],
            ..v1::Frame::default()
        })
    }
}

#[test]
fn a_drill_is_decided_once_over_both_paths_and_again_after_it_was_over() {
    let mut world = World::new();
    let mut decided = Vec::new();
    for (sequence, speed) in [(0, QUIET), (1, 0), (2, QUIET), (3, QUIET), (4, 0), (5, QUIET)] {
        let frame = world.frame(sequence, speed);
        for path in [BrokerPath::A, BrokerPath::B] {
            decided.extend(world.take("frame", frame.clone(), path).map(|it| (sequence, path, it)));
        }
    }
    let at: Vec<_> = decided.iter().map(|(sequence, path, _)| (*sequence, *path)).collect();
    assert_eq!(at, [(1, BrokerPath::A), (4, BrokerPath::A)]);
    let (first, second) = (&decided[0].2, &decided[1].2);
    assert_ne!(first.occurrence, second.occurrence);
    assert!(second.occurrence.starts_with("_drill/gw-a/"), "{second:?}");
    // Its sample was taken by this process's clock.
    assert_eq!(second.sampled, Instant::from_nanos(65_000_000_000 - 1_000_000));
    assert!(!world.drill.is_newest(&first.occurrence, first.revision));
    assert!(world.drill.is_newest(&second.occurrence, second.revision));
    assert_eq!(world.drill.confirm(), Some(second.sampled));
    assert_eq!(world.drill.confirm(), None, "the first display counts");
}

#[test]
fn what_is_damaged_or_of_another_gateway_decides_nothing() {
    let mut world = World::new();
    let quiet = world.frame(0, QUIET);
    assert!(world.take("frame", quiet, BrokerPath::A).is_none());
    let crossing = world.frame(1, 0);
    let mut damaged = crossing.to_vec();
    damaged[20] ^= 1;
    assert!(world.take("frame", damaged.into(), BrokerPath::A).is_none());
    assert!(world.take_of("gw-b", "frame", crossing.clone(), BrokerPath::A).is_none());
    assert!(world.take("heartbeat", crossing.clone(), BrokerPath::A).is_none());
    assert!(world.take("frame", crossing, BrokerPath::A).is_some(), "and this one does");
}

#[test]
fn a_frame_that_overtook_another_is_decided_when_its_wait_is_over() {
    let mut world = World::new();
    let quiet = world.frame(0, QUIET);
    world.take("frame", quiet, BrokerPath::A);
    let _lost = world.frame(1, QUIET);
    let crossing = world.frame(2, 0);
    assert!(world.take("frame", crossing, BrokerPath::A).is_none(), "it waits for the one before");
    assert!(world.drill.on_tick(world.now.plus(Duration::from_millis(99))).is_none());
    assert!(world.drill.on_tick(world.now.plus(REORDER_WINDOW)).is_some());
}

#[test]
fn a_restarted_gateway_has_drills_again() {
    let mut world = World::new();
    let crossing = world.frame(0, 0);
    assert!(world.take("frame", crossing, BrokerPath::A).is_some());
    let other = Bytes::from(birth(8).to_vec());
    world.drill = Drill { newest: None, ..world.drill };
    let topic = "ecmo/v1/_drill/gw-a/birth".to_owned();
    let arrival = Arrival {
        topic,
        payload: other,
        retained: false,
        received: world.now,
        path: BrokerPath::A,
    };
    assert!(world.drill.on_arrival(&arrival).is_none());
    assert_eq!(world.drill.pump.boot().map(ecmo_core::frame::BootId::get), Some(8));
}

#[test]
fn only_the_wards_of_drills_concern_it() {
    for (topic, expected) in [
        ("ecmo/v1/_drill/gw-a/frame", true),
        ("ecmo/v1/_drill2/gw-a/frame", false),
        ("ecmo/v1/nicu/_drill/frame", false),
        ("ecmo/v1/_drill", false),
        ("", false),
    ] {
        assert_eq!(concerns(topic), expected, "{topic}");
    }
}
