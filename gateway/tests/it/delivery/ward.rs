//! Pumps and waveforms of a ward in one stream: numerics first, every frame in order, what was lost told to the frame.
#![cfg(test)]

use std::collections::HashMap;
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_proto::v1::watch_ward_response::Update;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::{Code, Streaming};

use super::slow::{SMALL_WINDOW, stormy_site};
use crate::display::{Display, SOON, shows};
use crate::hand::PERIOD;
use crate::held_up::Since;
use crate::site::Site;

/// Asks for the ward nicu and the waveforms of these pumps.
pub(super) fn request(pumps: &[&str]) -> v1::WatchWardRequest {
    let choice = |pump: &&str| v1::WaveformChoice {
        ward: "nicu".to_owned(),
        pump: (*pump).to_owned(),
        parameters: Vec::new(),
    };
    v1::WatchWardRequest {
        ward: "nicu".to_owned(),
        interval_ms: 100,
        waveforms: pumps.iter().map(choice).collect(),
    }
}

pub(super) async fn watch(
    display: &Display,
    request: v1::WatchWardRequest,
) -> Result<Streaming<v1::WatchWardResponse>, Code> {
    let answer = display.pumps().watch_ward(request).await;
    answer.map(tonic::Response::into_inner).map_err(|status| status.code())
}

/// What a display makes of the stream: it panics at a gap in the numbers, and at a frame whose loss was not told.
#[derive(Debug, Default)]
pub(super) struct Follower {
    messages: u64,
    next_frame: HashMap<String, u64>,
    /// Frames that it had, by pump.
    pub(super) frames: HashMap<String, u64>,
    /// Frames that it was told to have lost.
    pub(super) lost: u64,
    /// The newest view of each pump.
    pub(super) pumps: HashMap<String, v1::Pump>,
}

impl Follower {
    pub(super) async fn next(&mut self, stream: &mut Streaming<v1::WatchWardResponse>) {
        let message = timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        self.take(message);
    }

    fn take(&mut self, message: v1::WatchWardResponse) {
        assert_eq!(message.sequence, self.messages);
        self.messages += 1;
        let round = Duration::from_nanos(message.now_mono_ns - message.alarm_thread_mono_ns);
        assert!(round < Duration::from_secs(5), "the alarm thread's last round was {round:?} ago");
        match message.update.unwrap() {
            Update::Pumps(update) => {
                self.pumps.extend(update.pumps.into_iter().map(|pump| (pump.pump.clone(), pump)));
            }
            Update::Waveform(frame) => {
                assert!(self.messages > 1, "the pumps come before any waveform");
                let number = frame.frame_sequence;
                // What was lost before the first frame that it had is told with that one.
                if let Some(next) = self.next_frame.insert(frame.pump.clone(), number + 1) {
                    assert_eq!(number - next, frame.dropped, "{} {number}", frame.pump);
                }
                *self.frames.entry(frame.pump).or_default() += 1;
                self.lost += frame.dropped;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ward_is_one_stream_with_its_pumps_first_and_pumps_that_come_later_join() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let mut stream = watch(&site.display, request(&["p1", "p2"])).await.unwrap();
    let mut follower = Follower::default();
    follower.next(&mut stream).await;
    assert_eq!(follower.pumps.keys().collect::<Vec<_>>(), ["p1"], "the first message holds all");
    while follower.frames.get("p1").is_none_or(|frames| *frames < 50) {
        follower.next(&mut stream).await;
    }
    let _later = site.agent("p2").await;
    while follower.frames.get("p2").is_none_or(|frames| *frames < 20) {
        follower.next(&mut stream).await;
    }
    assert!(follower.pumps.contains_key("p2"));
    assert_eq!(follower.lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ward_without_waveforms_is_told_each_second_that_nothing_changed() {
    let site = Site::start().await;
    let asked = v1::WatchWardRequest { interval_ms: 700, ..request(&[]) };
    let mut stream = watch(&site.display, asked).await.unwrap();
    let mut times = Vec::new();
    for sequence in 0..4 {
        let message = timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.sequence, sequence);
        assert_eq!(message.update, Some(Update::Pumps(v1::PumpsUpdate::default())));
        times.push(message.now_mono_ns);
    }
    for pair in times.windows(2) {
        let apart = Duration::from_nanos(pair[1] - pair[0]);
        assert!((Duration::from_millis(900)..Duration::from_millis(1_300)).contains(&apart));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ward_that_cannot_be_watched_as_asked_is_refused() {
    let site = Site::start().await;
    let names: Vec<String> = (0..257).map(|number| format!("p{number}")).collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    for wrong in [
        v1::WatchWardRequest { interval_ms: 19, ..request(&[]) },
        v1::WatchWardRequest { interval_ms: 1_001, ..request(&[]) },
        v1::WatchWardRequest { ward: "no ward".to_owned(), ..request(&[]) },
        request(&["no pump"]),
        request(&["p1", "p1"]),
        request(&many),
    ] {
        let refused = watch(&site.display, wrong).await.map(drop);
        assert_eq!(refused, Err(Code::InvalidArgument));
    }
    assert!(watch(&site.display, request(&many[..256])).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_07_a_display_that_stalled_is_told_how_many_frames_it_lost_and_gets_the_last_value() {
    let site = stormy_site().await;
    let mut agent = site.agent("p1").await;
    agent.pause();
    let slow = Display::with_windows(site.gateway.address(), SMALL_WINDOW).await;
    let mut stalled = watch(&slow, request(&["p1"])).await.unwrap();
    let mut follower = Follower::default();
    follower.next(&mut stalled).await;
    let first = agent.frame().sequence + 1;
    let frames = 600;
    for number in 0..frames {
        agent.set("flow.blood", 300 + i32::try_from(number).unwrap() / 4);
        agent.send(&agent.frame()).await;
    }
    // The last one differs from all before, and nothing follows it.
    agent.set("flow.blood", 477);
    agent.send(&agent.frame()).await;
    site.display.await_pump("p1", "the last", |pump| shows(pump, "flow.blood", 477.0)).await;
    while follower.next_frame.get("p1").is_none_or(|next| *next <= first + frames)
        || !shows(&follower.pumps["p1"], "flow.blood", 477.0)
    {
        follower.next(&mut stalled).await;
    }
    assert!(follower.lost > 100, "{}", follower.lost);
    let had = follower.frames["p1"];
    assert!(follower.lost + had <= frames + 1, "{} and {had}", follower.lost);
    let overflow = ["kind=\"waveform\"", "reason=\"overflow\""];
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let lost = follower.lost as f64;
    site.await_counted("ecmo_gateway_subscription_dropped_total", &overflow, lost).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_11_a_gap_is_a_gap_in_the_samples_and_no_value_and_never_a_flat_line() {
    let site = Site::start().await;
    let mut agent = site.agent("p1").await;
    agent.pause();
    let mut stream = site.display.waveforms("p1").await;
    let first = agent.frame().sequence + 1;
    // Ten frames, a second and more of nothing, in which frames are made and lost, ten frames.
    let send = async |frames: u64| {
        for _frame in 0..frames {
            agent.send(&agent.frame()).await;
            tokio::time::sleep(PERIOD).await;
        }
    };
    send(10).await;
    let pump =
        site.display.await_pump("p1", "silent", |pump| pump.link() == v1::LinkState::Silent).await;
    assert!(pump.readings.iter().all(|reading| reading.value.is_none()), "{pump:#?}");
    (0..60).for_each(|_lost| drop(agent.frame()));
    send(10).await;
    site.display.await_live("p1").await;
    let mut taken = Vec::new();
    while taken.last().is_none_or(|(index, _at)| *index < first + 79) {
        let message = timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.dropped, 0, "the display was not slow: the frames never came");
        for block in message.blocks.iter().filter(|block| block.parameter == "flow.blood") {
            assert_eq!(block.values, [400.0], "each is one that was sent: {block:?}");
            taken.push((block.first_index, block.start_mono_ns));
        }
    }
    let numbers: Vec<u64> = taken.iter().map(|(index, _at)| *index - first).collect();
    assert_eq!(numbers, (0..10).chain(70..80).collect::<Vec<_>>(), "nothing stands in the gap");
    let gap = Duration::from_nanos(taken[10].1 - taken[9].1);
    assert!(gap > Duration::from_millis(800), "and it is as long as it was: {gap:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_does_not_queue_behind_what_its_own_display_does_not_read() {
    let site = stormy_site().await;
    let mut agent = site.agent("p1").await;
    let display = Display::with_windows(site.gateway.address(), SMALL_WINDOW).await;
    // One connection carries both; of the ward nothing is read.
    let _unread = watch(&display, request(&["p1"])).await.unwrap();
    let alarms = display.watch_alarms().await;
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let before = received(&site.display.pump("p1").await.unwrap());
    site.display.await_pump("p1", "seconds more", |pump| received(pump) > before + 100).await;
    agent.pause();
    let began = Since::now();
    agent.set("air.bubble", 1);
    agent.send(&agent.frame()).await;
    let (told, _) = alarms.raised("p1", "air.arterial").await;
    began.is_within(Duration::from_millis(500), told, "the alarm beside a full lane");
}

/// The content of the chunks that have come whole.
fn content(mut chunked: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(end) = chunked.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&chunked[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let Some(chunk) = chunked.get(end + 2..end + 2 + length) else { break };
        content.extend(chunk);
        let Some(rest) = chunked.get(end + 2 + length + 2..) else { break };
        chunked = rest;
    }
    content
}

/// The messages that have come whole.
fn messages(mut content: &[u8]) -> Vec<v1::WatchWardResponse> {
    let mut messages = Vec::new();
    while let [0, a, b, c, d, rest @ ..] = content {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap();
        let Some(message) = rest.get(..length) else { break };
        messages.push(v1::WatchWardResponse::decode(message).unwrap());
        content = &rest[length..];
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_watches_a_ward_by_grpc_web_over_http_1() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let body = request(&["p1"]).encode_to_vec();
    let head = format!(
        "POST /ecmo.v1.PumpService/WatchWard HTTP/1.1\r\nhost: x\r\norigin: http://page.example\r\n\
         content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\ncontent-length: {}\r\n\r\n",
        5 + body.len()
    );
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let asked = [head.as_bytes(), &[0], &length, &body].concat();
    let mut stream = TcpStream::connect(site.gateway.address()).await.unwrap();
    stream.write_all(&asked).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        loop {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the stream has ended");
            let Some(split) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let told = messages(&content(&answer[split + 4..]));
            if told.len() > 20 {
                return told;
            }
        }
    };
    let told = timeout(SOON, read).await.unwrap();
    let mut follower = Follower::default();
    for message in told {
        follower.take(message);
    }
    assert!(follower.pumps.contains_key("p1") && follower.frames["p1"] > 5 && follower.lost == 0);
}
