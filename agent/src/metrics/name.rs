//! Every metric of the agent: its name, what it tells, its kind.

/// A metric as Prometheus describes it.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// The name.
    pub text: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// Its kind.
    pub kind: Kind,
}

/// Kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size, with the buckets' upper bounds in seconds.
    Histogram(&'static [f64]),
}

/// Lateness of ticks: the buckets of the contract, in seconds.
pub(super) const JITTER: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
];

macro_rules! names {
    ($($kind:ident $(($buckets:ident))? $constant:ident $text:literal $help:literal;)+) => {
        $(#[doc = $help] pub const $constant: Name =
            Name { text: $text, help: $help, kind: Kind::$kind$(($buckets))? };)+

        /// Every metric.
        pub(super) const ALL: &[Name] = &[$($constant,)+];
    };
}

names! {
    Gauge BUILD_INFO "ecmo_agent_build_info"
        "Always 1; the label tells what runs.";

    // Sampling.
    Counter SAMPLES "ecmo_agent_samples_total"
        "Samples that sensors delivered and that found room on the way to the frames.";
    Histogram(JITTER) JITTER_SECONDS "ecmo_agent_sample_jitter_seconds"
        "How late ticks of the sampling thread began.";
    Gauge JITTER_MAX "ecmo_agent_sample_jitter_max_seconds"
        "Greatest lateness of a tick since the start.";
    Counter TICKS "ecmo_agent_sample_ticks_total"
        "Ticks of the sampling thread that began.";
    Counter TICKS_MISSED "ecmo_agent_sample_ticks_missed_total"
        "Ticks that were left out because the one before took too long.";
    Counter OVERRUNS "ecmo_agent_sample_overruns_total"
        "Batches of samples that were lost because the framer was held up.";
    Counter SAMPLES_OVERRUN "ecmo_agent_samples_overrun_total"
        "Samples of the batches that were lost.";
    Counter LINES_REFUSED "ecmo_agent_lines_refused_total"
        "Lines or packets of a device that could not be understood.";
    Counter SAMPLES_NOT_FINITE "ecmo_agent_samples_not_finite_total"
        "Samples that were no number; sent as a sensor fault.";
    Counter SAMPLES_NOT_FITTING "ecmo_agent_samples_not_fitting_total"
        "Samples beyond what their channel can carry; sent as beyond range.";
    Gauge REALTIME "ecmo_agent_sample_realtime"
        "1 when the sampling thread has a real-time priority, else 0.";
    Gauge MEMORY_LOCKED "ecmo_agent_sample_memory_locked"
        "1 when the agent's memory is locked, else 0.";

    // Frames.
    Counter FRAMES_PREPARED "ecmo_agent_frames_prepared_total"
        "Frames that were made.";
    Counter FRAMES_PUBLISHED "ecmo_agent_frames_published_total"
        "Frames that were handed to the network.";
    Counter FRAMES_DROPPED "ecmo_agent_frames_dropped_total"
        "Live frames that were not sent, by reason.";
    Counter CONNECTIONS "ecmo_agent_mqtt_connections_total"
        "Connections to a broker that were accepted.";
    Counter CONNECTION_FAILURES "ecmo_agent_mqtt_connection_failures_total"
        "Attempts to connect that failed, and connections that were lost.";
    Gauge CERTIFICATE_UNTIL "ecmo_agent_certificate_expiration_timestamp_seconds"
        "Until when the agent's certificate holds, in seconds since 1970; 0 without TLS.";

    // The agent itself.
    Counter CPU "ecmo_agent_cpu_seconds_total"
        "Processor time of the agent, in whole seconds.";
}
