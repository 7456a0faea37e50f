//! Every metric of the gateway, as handles that cost nanoseconds. No other module names a metric.

mod handles;

mod history;

mod label;

mod name;

mod process;

mod pump;

mod secured;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ecmo_proto::topic::PumpAddress;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::{PUMPS_MAX, WARDS_MAX};
use handles::Registrar;

pub use handles::By;
pub use history::History;
pub use label::{
    AlarmKind, AlarmPriority, AlarmTransition, BirthRejected, BrokerPath, CanaryStage, Folder,
    FrameRejected, FrameSource, HandshakeRefused, Label, LinkLost, PeerRejected, RuntimeName, Said,
    SampleInvalid, Side, Stage, StateError, StatusRejected, StreamKind, SubscriptionDropped,
};
pub use metrics::{Counter, Gauge, Histogram};
pub use pump::PumpMetrics;
pub use secured::Secured;

/// Handles of all series, and the way to read them. Each gateway has its own.
#[derive(Debug)]
pub struct Metrics {
    /// Publishing at the agent → arrival.
    pub ingest_latency_seconds: By<BrokerPath, Histogram>,
    /// Time of a stage for one frame.
    pub processing_seconds: By<Stage, Histogram>,
    /// Arrival of the deciding frame → alarm raised.
    pub alarm_detection_latency_seconds: By<AlarmPriority, Histogram>,
    /// Alarm raised → handed to the displays.
    pub alarm_delivery_latency_seconds: By<AlarmPriority, Histogram>,
    /// Sample → a display's word.
    pub end_to_end_latency_seconds: By<StreamKind, Histogram>,
    /// Latencies that were impossible.
    pub latency_discarded: Counter,
    /// How late a timer fires.
    pub runtime_lag_seconds: By<RuntimeName, Histogram>,
    /// Alarms that have not ended.
    pub alarms_active: By<AlarmPriority, By<AlarmKind, Gauge>>,
    /// Wall time at which the oldest alarm began that waits for a person, in seconds since 1970; 0: none waits.
    pub unacknowledged_oldest_timestamp_seconds: By<AlarmPriority, Gauge>,
    /// Time to write and flush the audit log.
    pub audit_flush_seconds: Histogram,
    /// Treatments that could not be read or written.
    pub state_errors: By<StateError, Counter>,
    /// Rows of the history that found no place.
    pub history_lost: Counter,
    /// Frames that were kept in the journal.
    pub journal_frames: By<FrameSource, Counter>,
    /// Frames that agents hold and the journal lacks.
    pub journal_frames_missing: Gauge,
    /// Frames that neither has.
    pub journal_frames_lost: Gauge,
    /// Bytes of the journal on disk.
    pub journal_bytes: Gauge,
    /// Writes of the journal that failed.
    pub journal_errors: Counter,
    /// Items that the journal had no room for.
    pub journal_dropped: Counter,
    /// Of the history.
    pub history: History,
    /// Frames and parts of backfills that were refused.
    pub backfill_refused: Counter,
    /// Messages that a display did not get.
    pub subscription_dropped: By<StreamKind, By<SubscriptionDropped, Counter>>,
    /// Connections that were refused.
    pub connections_refused: Counter,
    /// Of TLS.
    pub secured: Secured,
    /// 1 while subscribed at the broker.
    pub mqtt_connected: By<BrokerPath, Gauge>,
    /// Connections to the broker that ended or failed.
    pub mqtt_reconnects: By<BrokerPath, By<LinkLost, Counter>>,
    /// Requests to agents that were dropped.
    pub requests_dropped: By<BrokerPath, Counter>,
    /// What is said to others and was dropped.
    pub said_dropped: By<BrokerPath, By<Said, Counter>>,
    /// Messages of other gateways that were refused.
    pub peer_rejected: By<PeerRejected, Counter>,
    /// Parts of backfills that the journal had no room for.
    pub backfill_parts_dropped: Counter,
    /// Displays that attend.
    pub displays_attending: Gauge,
    /// Wards with pumps that nobody attends.
    pub wards_unattended: Gauge,
    /// Confirmations that count.
    pub confirmations: Counter,
    /// Alarms that were given to every display.
    pub alarms_redirected: Counter,
    /// Sample of a drill → stage.
    pub canary_latency_seconds: By<CanaryStage, Histogram>,
    /// Drills that were missed.
    pub canary_failures: Counter,
    /// Wall time of the alarm thread's last round, in seconds since 1970.
    pub watchdog_timestamp_seconds: Gauge,
    /// Messages whose topic names no pump.
    pub unknown_pump: PumpMetrics,
    process: process::Series,
    other_pump: Arc<PumpMetrics>,
    pumps: Mutex<HashMap<PumpAddress, Arc<PumpMetrics>>>,
    wards: Mutex<Vec<String>>,
    paths: Vec<BrokerPath>,
    registrar: Registrar,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Registers everything that is known from the start; `paths` are the brokers in use.
    #[must_use]
    pub fn new(paths: &[BrokerPath]) -> Self {
        let registrar = Registrar::new();
        registrar.gauge(&name::BUILD_INFO, &build_labels()).set(1.0);
        let shared_pump = |label| PumpMetrics::new(&registrar, &pump::shared_labels(label), paths);
        let in_use = |path: &BrokerPath| paths.contains(path);
        Self {
            ingest_latency_seconds: By::new(|path| match in_use(&path) {
                true => registrar.histogram(&name::INGEST_LATENCY, &handles::with(&[], path)),
                false => Histogram::noop(),
            }),
            processing_seconds: registrar.histograms(&name::PROCESSING),
            alarm_detection_latency_seconds: registrar.histograms(&name::ALARM_DETECTION),
            alarm_delivery_latency_seconds: registrar.histograms(&name::ALARM_DELIVERY),
            end_to_end_latency_seconds: registrar.histograms(&name::END_TO_END),
            latency_discarded: registrar.counter(&name::LATENCY_DISCARDED, &[]),
            runtime_lag_seconds: registrar.histograms(&name::RUNTIME_LAG),
            alarms_active: By::new(|priority: AlarmPriority| {
                registrar.gauges(&name::ALARMS_ACTIVE, &handles::with(&[], priority))
            }),
            unacknowledged_oldest_timestamp_seconds: registrar
                .gauges(&name::UNACKNOWLEDGED_OLDEST, &[]),
            audit_flush_seconds: registrar.histogram(&name::AUDIT_FLUSH, &[]),
            state_errors: registrar.counters(&name::STATE_ERRORS, &[]),
            journal_frames: registrar.counters(&name::JOURNAL_FRAMES, &[]),
            journal_frames_missing: registrar.gauge(&name::JOURNAL_FRAMES_MISSING, &[]),
            journal_frames_lost: registrar.gauge(&name::JOURNAL_FRAMES_LOST, &[]),
            journal_bytes: registrar.gauge(&name::JOURNAL_BYTES, &[]),
            journal_errors: registrar.counter(&name::JOURNAL_ERRORS, &[]),
            journal_dropped: registrar.counter(&name::JOURNAL_DROPPED, &[]),
            history: History::new(&registrar),
            backfill_refused: registrar.counter(&name::BACKFILL_REFUSED, &[]),
            history_lost: registrar.counter(&name::HISTORY_LOST, &[]),
            subscription_dropped: By::new(|kind: StreamKind| {
                registrar.counters(&name::SUBSCRIPTION_DROPPED, &handles::with(&[], kind))
            }),
            connections_refused: registrar.counter(&name::CONNECTIONS_REFUSED, &[]),
            secured: Secured::new(&registrar),
            mqtt_connected: By::new(|path| match in_use(&path) {
                true => registrar.gauge(&name::MQTT_CONNECTED, &handles::with(&[], path)),
                false => Gauge::noop(),
            }),
            mqtt_reconnects: By::new(|path| match in_use(&path) {
                true => registrar.counters(&name::MQTT_RECONNECTS, &handles::with(&[], path)),
                false => By::new(|_reason| Counter::noop()),
            }),
            requests_dropped: By::new(|path| match in_use(&path) {
                true => registrar.counter(&name::REQUESTS_DROPPED, &handles::with(&[], path)),
                false => Counter::noop(),
            }),
            said_dropped: By::new(|path| match in_use(&path) {
                true => registrar.counters(&name::SAID_DROPPED, &handles::with(&[], path)),
                false => By::new(|_said| Counter::noop()),
            }),
            peer_rejected: registrar.counters(&name::PEER_REJECTED, &[]),
            backfill_parts_dropped: registrar.counter(&name::BACKFILL_PARTS_DROPPED, &[]),
            displays_attending: registrar.gauge(&name::DISPLAYS_ATTENDING, &[]),
            wards_unattended: registrar.gauge(&name::WARDS_UNATTENDED, &[]),
            confirmations: registrar.counter(&name::CONFIRMATIONS, &[]),
            alarms_redirected: registrar.counter(&name::ALARMS_REDIRECTED, &[]),
            canary_latency_seconds: registrar.histograms(&name::CANARY_LATENCY),
            canary_failures: registrar.counter(&name::CANARY_FAILURES, &[]),
            watchdog_timestamp_seconds: registrar.gauge(&name::WATCHDOG, &[]),
            process: process::Series::new(&registrar),
            unknown_pump: shared_pump("unknown"),
            other_pump: Arc::new(shared_pump("other")),
            pumps: Mutex::default(),
            wards: Mutex::default(),
            paths: paths.to_vec(),
            handle: registrar.handle(),
            registrar,
        }
    }

    /// The series of one pump; made at the first call. Beyond [`PUMPS_MAX`] pumps all share `pump="other"`.
    ///
    /// Making them takes some 50 us and a lock that a scrape may hold for a moment: keep the handles, and ask for an
    /// expected pump before the alarm thread runs.
    #[must_use]
    pub fn pump(&self, address: &PumpAddress) -> Arc<PumpMetrics> {
        let mut pumps = self.pumps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pumps.get(address) {
            return Arc::clone(known);
        }
        if pumps.len() >= PUMPS_MAX {
            return Arc::clone(&self.other_pump);
        }
        let made = PumpMetrics::new(&self.registrar, &pump::labels(address), &self.paths);
        Arc::clone(pumps.entry(address.clone()).or_insert_with(|| Arc::new(made)))
    }

    /// The counters of one alarm rule's steps; `code` is the id of a rule, never anything from outside. Keep them.
    #[must_use]
    pub fn alarm_transitions(&self, code: &'static str) -> By<AlarmTransition, Counter> {
        self.registrar.counters(&name::ALARM_TRANSITIONS, &[("code", code.to_owned())])
    }

    /// The gauges of open streams of one ward; an empty ward means all. Keep them while the stream is open.
    ///
    /// The ward comes from a display: beyond [`WARDS_MAX`] different ones all share `ward="other"`.
    #[must_use]
    pub fn subscriptions_active(&self, ward: &str) -> By<StreamKind, Gauge> {
        let mut wards = self.wards.lock().unwrap_or_else(PoisonError::into_inner);
        let known = ward.is_empty() || wards.iter().any(|known| known == ward);
        let label = match (known, wards.len() < WARDS_MAX) {
            (true, _) if ward.is_empty() => "all",
            (true, _) => ward,
            (false, true) => {
                wards.push(ward.to_owned());
                ward
            }
            (false, false) => "other",
        };
        self.registrar.gauges(&name::SUBSCRIPTIONS_ACTIVE, &[("ward", label.to_owned())])
    }

    /// Tells the digest of all settings that decide. Once.
    pub fn set_config(&self, digest: u64) {
        let labels = [("digest", format!("{digest:016x}"))];
        self.registrar.gauge(&name::CONFIG_INFO, &labels).set(1.0);
    }

    /// Tells which folder lies where, so that the room on its disk is shown. Once, before any [`Metrics::run_upkeep`].
    pub fn set_folder(&self, folder: Folder, path: &Path) {
        let gauge = self.registrar.gauge(&name::STORAGE_FREE, &handles::with(&[], folder));
        self.process.add_folder(path, gauge);
    }

    /// Everything in Prometheus' text format. Takes milliseconds: never on the alarm thread.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Sorts new histogram values into their buckets, and asks the system about the process. Without a call every 5 s values
    /// pile up until somebody scrapes. Blocks on the disk: never on the alarm thread.
    pub fn run_upkeep(&self) {
        self.process.look();
        self.handle.run_upkeep();
    }
}

fn build_labels() -> Vec<handles::Pair> {
    vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("commit", option_env!("ECMO_COMMIT").unwrap_or("unknown").to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_proto::topic::Id;

    fn address(ward: &str, pump: &str) -> PumpAddress {
        PumpAddress { ward: Id::new(ward).unwrap(), pump: Id::new(pump).unwrap() }
    }

    fn lines(metrics: &Metrics, start: &str) -> Vec<String> {
        metrics.render().lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
    }

    #[test]
    fn every_series_of_a_pump_starts_at_zero() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        let _handles = metrics.pump(&address("nicu", "p1"));
        let text = metrics.render();
        let of_pump: Vec<&str> =
            text.lines().filter(|line| line.contains(r#"pump="p1""#)).collect();
        assert!(of_pump.iter().all(|line| line.ends_with(" 0")), "{of_pump:#?}");
        assert!(of_pump.iter().all(|line| line.contains(r#"ward="nicu""#)), "{of_pump:#?}");
        // The budget of operations is 120 series a pump.
        assert!((40..=120).contains(&of_pump.len()), "{}", of_pump.len());
    }

    #[test]
    fn a_counted_event_is_shown() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        let pump = metrics.pump(&address("nicu", "p1"));
        pump.frames_rejected.get(FrameRejected::Crc).increment(2);
        pump.dropout_seconds.record(0.2);
        metrics.alarms_active.get(AlarmPriority::High).get(AlarmKind::Technical).set(3.0);
        metrics.alarm_transitions("flow_low").get(AlarmTransition::Raised).increment(1);
        let text = metrics.render();
        for line in [
            r#"ecmo_gateway_frames_rejected_total{ward="nicu",pump="p1",reason="crc"} 2"#,
            r#"ecmo_gateway_dropout_seconds_bucket{ward="nicu",pump="p1",le="0.1"} 0"#,
            r#"ecmo_gateway_dropout_seconds_bucket{ward="nicu",pump="p1",le="0.25"} 1"#,
            r#"ecmo_gateway_alarms_active{priority="high",kind="technical"} 3"#,
            r#"ecmo_gateway_alarm_transitions_total{code="flow_low",transition="raised"} 1"#,
            r#"ecmo_gateway_alarm_transitions_total{code="flow_low",transition="escalated"} 0"#,
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\nis missing in\n{text}");
        }
    }

    #[test]
    fn the_same_pump_gets_the_same_series() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        metrics.pump(&address("nicu", "p1")).frames_accepted.increment(1);
        metrics.pump(&address("nicu", "p1")).frames_accepted.increment(1);
        metrics.pump(&address("picu", "p1")).frames_accepted.increment(5);
        let shown = lines(&metrics, "ecmo_gateway_frames_accepted_total");
        assert!(
            shown.iter().any(|line| line.contains("nicu") && line.ends_with(" 2")),
            "{shown:?}"
        );
        assert!(
            shown.iter().any(|line| line.contains("picu") && line.ends_with(" 5")),
            "{shown:?}"
        );
    }

    #[test]
    fn pumps_beyond_the_most_share_one_series() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        for pump in 0..PUMPS_MAX + 10 {
            metrics.pump(&address("nicu", &format!("p{pump}"))).frames_accepted.increment(1);
        }
        let shown = lines(&metrics, "ecmo_gateway_frames_accepted_total");
        assert_eq!(shown.len(), PUMPS_MAX + 2, "with unknown and other");
        assert!(shown.iter().any(|line| line.contains("other") && line.ends_with(" 10")));
    }

    #[test]
    fn wards_that_displays_invent_do_not_make_series_without_end() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        metrics.subscriptions_active("").get(StreamKind::Alarm).increment(1.0);
        for ward in 0..WARDS_MAX * 2 {
            let _gauges = metrics.subscriptions_active(&format!("w{ward}"));
        }
        let shown = lines(&metrics, "ecmo_gateway_subscriptions_active");
        assert_eq!(shown.len(), (WARDS_MAX + 2) * StreamKind::ALL.len());
        assert!(
            shown.iter().any(|line| line.contains(r#"ward="all",kind="alarm"} 1"#)),
            "{shown:?}"
        );
    }

    #[test]
    fn a_path_that_is_not_in_use_shows_nothing() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        metrics.mqtt_connected.get(BrokerPath::B).set(1.0);
        let text = metrics.render();
        assert!(text.contains(r#"mqtt_connected{path="a"} 0"#), "{text}");
        assert!(!text.contains(r#"path="b""#), "{text}");
    }

    #[test]
    fn every_name_follows_the_rules_and_every_one_is_in_use() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        let _transitions = metrics.alarm_transitions("x");
        let _subscriptions = metrics.subscriptions_active("");
        metrics.set_config(7);
        metrics.set_folder(Folder::State, Path::new("/"));
        metrics.run_upkeep();
        let text = metrics.render();
        for name in name::ALL {
            let total = name.text.ends_with("_total");
            assert_eq!(matches!(name.kind, name::Kind::Counter), total, "{}", name.text);
            assert!(name.help.ends_with('.'), "{}", name.text);
            assert!(
                text.contains(&format!("# HELP {} ", name.text)),
                "{} is never made",
                name.text
            );
        }
    }

    #[test]
    fn the_system_is_asked_about_the_process_and_its_disks() {
        let metrics = Metrics::new(&[BrokerPath::A]);
        metrics.set_folder(Folder::State, Path::new("/"));
        metrics.set_folder(Folder::Journal, Path::new("/nowhere/at/all"));
        metrics.run_upkeep();
        let value = |start: &str| -> f64 {
            let found = lines(&metrics, start);
            found[0].rsplit(' ').next().unwrap().parse().unwrap()
        };
        assert!(value("process_resident_memory_bytes ") > 1e6);
        assert!(value("process_open_fds ") >= 3.0);
        assert!(value(r#"ecmo_gateway_storage_free_bytes{folder="state"}"#) > 0.0);
        // Unknown is no room, and not much room.
        assert_eq!(
            lines(&metrics, r#"ecmo_gateway_storage_free_bytes{folder="journal"} 0"#).len(),
            1
        );
    }

    #[test]
    fn two_gateways_in_one_process_count_apart() {
        let (one, two) = (Metrics::new(&[BrokerPath::A]), Metrics::new(&[BrokerPath::A]));
        one.latency_discarded.increment(7);
        assert_eq!(
            lines(&one, "ecmo_gateway_latency_discarded_total"),
            ["ecmo_gateway_latency_discarded_total 7"]
        );
        assert_eq!(
            lines(&two, "ecmo_gateway_latency_discarded_total"),
            ["ecmo_gateway_latency_discarded_total 0"]
        );
    }
}
