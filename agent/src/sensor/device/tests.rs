//! Tests of a device's thread: handing over, hanging, a full ring, the end.

use std::sync::mpsc;

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::Reading;
use ecmo_testkit::eventually_sync;

use super::*;

/// Longest wait for a thread that should do something soon.
const SOON: Duration = Duration::from_secs(10);

/// A driver that takes one sample of its channel at each poll, and hangs while the test holds it.
struct Driven {
    channels: Vec<Channel>,
    value: f32,
    burst: usize,
    hold: Arc<std::sync::Mutex<()>>,
    _dropped: mpsc::SyncSender<()>,
}

struct Bench {
    device: Device,
    hold: Arc<std::sync::Mutex<()>>,
    dropped: mpsc::Receiver<()>,
}

impl Bench {
    fn start(burst: usize) -> Self {
        let hold = Arc::<std::sync::Mutex<()>>::default();
        let (sender, dropped) = mpsc::sync_channel(1);
        let driven = Driven {
            channels: vec![
                Channel::new(Parameter::FlowBlood, 100.0, 1.0),
                Channel::new(Parameter::AirBubble, 0.0, 1.0),
            ],
            value: 0.0,
            burst,
            hold: Arc::clone(&hold),
            _dropped: sender,
        };
        let mut device = Device::new(Box::new(driven), PERIOD);
        device.start().unwrap();
        Self { device, hold, dropped }
    }

    /// Polls as the sampling thread does until something is there.
    fn until(&mut self, what: &str, mut is_it: impl FnMut(&Device, &Batch) -> bool) -> Batch {
        let mut batch = Batch::default();
        eventually_sync(SOON, what, || {
            self.device.poll(clock::now(), &mut batch);
            if is_it(&self.device, &batch) { Ok(()) } else { Err(format!("{batch:?}")) }
        })
        .unwrap();
        batch
    }
}

impl Sensor for Driven {
    fn device(&self) -> &str {
        "driven"
    }

    fn source(&self) -> SourceKind {
        SourceKind::Measured
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn link(&self) -> Link {
        Link { state: SourceState::Live, connections: 7 }
    }

    fn poll(&mut self, now: SampleTime, out: &mut Batch) {
        drop(self.hold.lock().unwrap());
        out.refused += 1;
        for index in 0..self.burst {
            self.value += 1.0;
            let time = now.plus(Duration::from_nanos(index as u64));
            out.push(0, time, Reading::Value(self.value));
        }
    }
}

fn is_off(sample: &Sample) -> bool {
    sample.reading == Reading::NoData(NoData::SensorOff)
}

fn rises(batch: &Batch) -> bool {
    [0, 1].into_iter().all(|channel| {
        let of = batch.samples.iter().filter(|sample| sample.channel == channel);
        let times: Vec<_> = of.map(|sample| sample.time).collect();
        times.windows(2).all(|pair| pair[1] > pair[0])
    })
}

#[test]
fn samples_of_the_thread_come_in_order_and_none_is_missing() {
    let mut bench = Bench::start(3);
    let batch = bench.until("samples", |_, batch| batch.samples.len() >= 60);
    assert!(rises(&batch));
    let values: Vec<_> = batch.samples.iter().map(|sample| sample.reading.value()).collect();
    let expected: Vec<_> = (1u8..).map(|value| Some(f32::from(value))).take(values.len()).collect();
    assert_eq!(values, expected);
    assert!(batch.refused >= 20 && batch.lost == 0);
    assert_eq!(bench.device.link(), Link { state: SourceState::Live, connections: 7 });
}

#[test]
fn a_hanging_driver_is_off_within_a_second_at_its_rate_and_comes_back() {
    let mut bench = Bench::start(1);
    let hold = Arc::clone(&bench.hold);
    bench.until("a sample", |_, batch| !batch.samples.is_empty());
    let held = hold.lock().unwrap();
    let begin = clock::now();
    let mut batch = bench.until("the word off", |_, batch| batch.samples.iter().any(is_off));
    let first = batch.samples.iter().position(is_off).unwrap();
    // The bound, without the time this test's own thread may not run: the samples' own times count.
    assert!(batch.samples[first].time.since(begin) < Duration::from_secs(1));
    assert_eq!(bench.device.link().state, SourceState::Off);
    let channels: Vec<_> =
        batch.samples.iter().filter(|s| is_off(s)).map(|s| s.channel).take(2).collect();
    assert_eq!(channels, [0, 1], "every channel, also one without a rate");

    let more = bench.until("more of it", |_, more| more.samples.len() >= 40);
    let of_flow = more.samples.iter().filter(|sample| sample.channel == 0);
    let times: Vec<_> = of_flow.map(|sample| sample.time).collect();
    assert!(more.samples.iter().all(is_off));
    let span = times.last().unwrap().since(times[0]);
    assert!(span >= Duration::from_millis(10) * u32::try_from(times.len() - 1).unwrap());
    batch.samples.extend(more.samples);

    drop(held);
    let back = bench.until("life", |_, back| {
        back.samples.last().is_some_and(|sample| sample.reading.value().is_some())
    });
    assert!(back.lost >= 1, "what was taken before and handed over after counts as lost");
    batch.samples.extend(back.samples);
    assert!(rises(&batch));
    assert_eq!(bench.device.link().state, SourceState::Live);
}

#[test]
fn a_full_ring_keeps_the_oldest_and_counts_the_rest() {
    let mut bench = Bench::start(200);
    let shared = Arc::clone(&bench.device.shared);
    eventually_sync(SOON, "a full ring", || match shared.lost.load(Ordering::Relaxed) {
        0 => Err("none lost".to_owned()),
        _some => Ok(()),
    })
    .unwrap();
    let batch = bench.until("all of it", |_, batch| batch.samples.len() >= ROOM_MIN);
    let values = batch.samples.iter().filter_map(|sample| sample.reading.value());
    let in_order = (1u16..).map(f32::from).zip(values).take(ROOM_MIN);
    assert!(in_order.into_iter().all(|(expected, value)| (expected - value).abs() < 0.5));
    assert!(batch.lost > 0 && rises(&batch));
}

#[test]
fn a_driver_that_was_not_started_is_off_and_nothing_runs() {
    let (sender, dropped) = mpsc::sync_channel(1);
    let driven = Driven {
        channels: vec![Channel::new(Parameter::FlowBlood, 10.0, 1.0)],
        value: 0.0,
        burst: 1,
        hold: Arc::default(),
        _dropped: sender,
    };
    let mut device = Device::new(Box::new(driven), PERIOD);
    let mut batch = Batch::default();
    device.poll(SampleTime::from_millis(5000), &mut batch);
    assert!(batch.samples.len() == 1 && is_off(&batch.samples[0]));
    drop(device);
    assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

#[test]
fn a_dropped_device_ends_its_thread_and_frees_the_driver() {
    let Bench { device, dropped, .. } = Bench::start(1);
    drop(device);
    assert_eq!(dropped.recv_timeout(SOON), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn a_ring_has_room_for_what_comes_while_the_sampling_thread_stands_still() {
    let channels = |count, rate| vec![Channel::new(Parameter::FlowBlood, rate, 1.0); count];
    assert_eq!(room(&channels(3, 10.0)), ROOM_MIN);
    assert_eq!(room(&channels(8, 1000.0)), 16_000);
    assert_eq!(room(&channels(64, 1000.0)), ROOM_MAX);
    assert_eq!(room(&channels(1, f64::NAN)), ROOM_MIN);
}
