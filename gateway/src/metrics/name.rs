//! Every metric: its name, what it tells, its kind.

/// A metric as Prometheus describes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// The name.
    pub(super) text: &'static str,
    /// What it tells.
    pub(super) help: &'static str,
    /// Its kind.
    pub(super) kind: Kind,
}

/// Kind of a metric.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size, with the buckets' upper bounds in seconds.
    Histogram(&'static [f64]),
}

/// Latencies: from 50 us, which one step takes, to 5 s, where only the fact matters.
const LATENCY: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0,
];

/// Dropouts: from two lost frames to the time in which somebody repairs a network.
const DROPOUT: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0];

macro_rules! names {
    ($($kind:ident $(($buckets:ident))? $constant:ident $text:literal $help:literal;)+) => {
        $(pub(super) const $constant: Name =
            Name { text: $text, help: $help, kind: Kind::$kind$(($buckets))? };)+

        /// Every metric.
        pub(super) const ALL: &[Name] = &[$($constant,)+];
    };
}

names! {
    Gauge BUILD_INFO "ecmo_gateway_build_info"
        "Always 1; the labels tell what runs.";
    Gauge CONFIG_INFO "ecmo_gateway_config_info"
        "Always 1; the digest is that of all settings that decide, and must be the same at every gateway of a unit.";

    // One pump: labels ward and pump.
    Counter FRAMES_RECEIVED "ecmo_gateway_frames_received_total"
        "Frames that arrived, whatever became of them.";
    Counter FRAME_BYTES_RECEIVED "ecmo_gateway_frame_bytes_received_total"
        "Bytes of the frames that arrived.";
    Counter FRAMES_ACCEPTED "ecmo_gateway_frames_accepted_total"
        "Frames that were judged.";
    Counter FRAMES_MISSING "ecmo_gateway_frames_missing_total"
        "Frames that never arrived, by their sequence.";
    Counter FRAMES_DUPLICATE "ecmo_gateway_frames_duplicate_total"
        "Frames that had arrived before.";
    Counter FRAMES_REORDERED "ecmo_gateway_frames_reordered_total"
        "Frames that came after a later one, in time to be used.";
    Counter FRAMES_LATE "ecmo_gateway_frames_late_total"
        "Frames that came too late to be used.";
    Counter FRAMES_REJECTED "ecmo_gateway_frames_rejected_total"
        "Frames that were refused.";
    Counter MESSAGES_DAMAGED "ecmo_gateway_messages_damaged_total"
        "Messages of agents that were refused as damaged, against the contract, or at another pump's place, by path.";
    Counter BIRTHS_REJECTED "ecmo_gateway_births_rejected_total"
        "Births that were refused.";
    Counter STATUSES_REJECTED "ecmo_gateway_statuses_rejected_total"
        "Statuses that were refused.";
    Counter SAMPLES_INVALID "ecmo_gateway_samples_invalid_total"
        "Samples of accepted frames that are no measurement.";
    Histogram(DROPOUT) DROPOUT_SECONDS "ecmo_gateway_dropout_seconds"
        "How long each gap in the frames of a pump was.";
    Gauge STREAM_UP "ecmo_pump_stream_up"
        "1 while frames of the pump are fresh, else 0.";
    Gauge ASSIGNED "ecmo_pump_assigned"
        "1 while a weight or a flow target is entered for the pump, so that a treatment is expected at it, else 0.";
    Gauge LAST_FRAME "ecmo_pump_last_frame_timestamp_seconds"
        "Wall time of the last accepted frame, in seconds since 1970; 0 when there was none.";
    Counter CLOCK_STEPS "ecmo_gateway_clock_steps_total"
        "Jumps of an agent's wall clock.";

    Gauge PATH_UP "ecmo_pump_path_up"
        "1 while frames of the pump come over the path, else 0.";
    Counter HEARTBEATS_REJECTED "ecmo_gateway_heartbeats_rejected_total"
        "Heartbeats of agents that were refused.";
    Counter AGENT_CONDITIONS_UNKNOWN "ecmo_gateway_agent_conditions_unknown_total"
        "Conditions in heartbeats of agents that the gateway does not know, and does not compare.";
    Gauge CLOCK_OFFSET "ecmo_gateway_clock_offset_seconds"
        "Gateway's monotonic clock less the agent's, by probes.";
    Gauge CLOCK_UNCERTAINTY "ecmo_gateway_clock_offset_uncertainty_seconds"
        "Greatest error of the clock offset; 0 before it is known.";
    Gauge CLOCK_WALL_DIFFERENCE "ecmo_gateway_clock_wall_difference_seconds"
        "Agent's wall clock less the gateway's, as far as it is known.";
    Gauge CLOCK_SYNCHRONIZED "ecmo_gateway_clock_synchronized"
        "1 while the agent says that its wall clock follows a time service, else 0.";
    Counter PROBES_REFUSED "ecmo_gateway_clock_probes_refused_total"
        "Answers to probes that could not be, were too slow, or contradicted what is known.";
    Counter AGENT_SAMPLES "ecmo_agent_samples_total"
        "Samples that the agent has delivered.";
    Counter AGENT_OVERRUNS "ecmo_agent_sample_overruns_total"
        "Batches of samples that the agent has lost between two of its threads.";
    Counter AGENT_TICKS_MISSED "ecmo_agent_ticks_missed_total"
        "Ticks of sampling that the agent has left out.";
    Counter AGENT_FRAMES_DROPPED "ecmo_agent_frames_dropped_total"
        "Frames that the agent has dropped on its paths.";
    Counter AGENT_SPOOL_LOST "ecmo_agent_buffer_dropped_total"
        "Frames that the agent could not keep on its disk.";
    Gauge AGENT_BUFFER_FRAMES "ecmo_agent_buffer_frames"
        "Frames that the agent keeps on its disk.";
    Gauge AGENT_LATENESS_MAX "ecmo_agent_sample_lateness_max_seconds"
        "Greatest lateness of a tick of sampling since the agent started.";

    Counter ALARMS_RAISED "ecmo_gateway_alarms_raised_total"
        "Alarms that were raised or returned, by priority.";
    Counter ALARM_FLOODS "ecmo_gateway_alarm_floods_total"
        "Floods that began: more than ten alarms of a pump in ten minutes.";
    Counter ALARMS_CHATTERING "ecmo_gateway_alarms_chattering_total"
        "Times an alarm began to chatter: three times in a minute.";
    Counter ALARM_REMINDERS "ecmo_gateway_alarm_reminders_total"
        "High alarms that were recalled because nobody acknowledged them.";
    Gauge RULES_NOT_EVALUABLE "ecmo_pump_rules_not_evaluable"
        "Rules that cannot be judged now, for want of a sensor, of data or of the case.";

    // Latency.
    Histogram(LATENCY) INGEST_LATENCY "ecmo_gateway_ingest_latency_seconds"
        "From publishing at the agent to arrival; as good as the two wall clocks agree.";
    Histogram(LATENCY) PROCESSING "ecmo_gateway_processing_seconds"
        "Time that a stage of the alarm path takes for one frame.";
    Histogram(LATENCY) ALARM_DETECTION "ecmo_gateway_alarm_detection_latency_seconds"
        "From arrival of the deciding frame to the alarm raised.";
    Histogram(LATENCY) ALARM_DELIVERY "ecmo_gateway_alarm_delivery_latency_seconds"
        "From the alarm raised to its being handed to the displays.";
    Histogram(LATENCY) END_TO_END "ecmo_gateway_end_to_end_latency_seconds"
        "From the sample to a display's word that it is shown.";
    Counter LATENCY_DISCARDED "ecmo_gateway_latency_discarded_total"
        "Latencies that were impossible and left out: negative or over 10 s.";
    Histogram(LATENCY) RUNTIME_LAG "ecmo_gateway_runtime_lag_seconds"
        "How late a timer of each runtime fires.";

    // Alarms.
    Gauge ALARMS_ACTIVE "ecmo_gateway_alarms_active"
        "Alarm occurrences that have not ended.";
    Counter ALARM_TRANSITIONS "ecmo_gateway_alarm_transitions_total"
        "Steps in the life of alarms, by rule.";
    Gauge UNACKNOWLEDGED_OLDEST "ecmo_gateway_alarm_unacknowledged_oldest_timestamp_seconds"
        "Wall time at which the oldest alarm began that waits for a person, in seconds since 1970; 0 when none waits.";

    // What people say.
    Counter STATE_ERRORS "ecmo_gateway_state_errors_total"
        "Treatments that could not be read or written: what people said is not durable.";
    Histogram(LATENCY) AUDIT_FLUSH "ecmo_gateway_audit_flush_seconds"
        "Time to write what people did to the audit log, and to flush it.";
    Gauge STORAGE_FREE "ecmo_gateway_storage_free_bytes"
        "Bytes that are free for the gateway on the disk of a folder.";
    Counter HISTORY_LOST "ecmo_gateway_history_rows_lost_total"
        "Rows of the history that found no place; they show as time without data.";

    // The journal.
    Counter JOURNAL_FRAMES "ecmo_gateway_journal_frames_total"
        "Frames that were kept, by where they came from.";
    Gauge JOURNAL_FRAMES_MISSING "ecmo_gateway_journal_frames_missing"
        "Frames that agents hold in their spools and the journal lacks.";
    Gauge JOURNAL_FRAMES_LOST "ecmo_gateway_journal_frames_lost"
        "Frames that are neither in the journal nor in a spool.";
    Gauge JOURNAL_BYTES "ecmo_gateway_journal_bytes"
        "Bytes of the journal on disk.";
    Counter JOURNAL_ERRORS "ecmo_gateway_journal_errors_total"
        "Writes of the journal that failed: full or failing disk.";
    Counter JOURNAL_DROPPED "ecmo_gateway_journal_dropped_total"
        "Frames and other items that found no room on their way to the journal; frames are asked for again.";

    // The history.
    Gauge HISTORY_BYTES "ecmo_gateway_history_bytes"
        "Bytes of the history on disk.";
    Histogram(LATENCY) HISTORY_WRITE "ecmo_gateway_history_write_seconds"
        "What it takes to hand what arrived in a round to the history.";
    Counter HISTORY_ERRORS "ecmo_gateway_history_errors_total"
        "Times that the disk did not do what the history asked for.";
    Counter HISTORY_DROPPED "ecmo_gateway_history_dropped_total"
        "Frames and other items that found no room on their way to the history.";
    Counter HISTORY_LOST_SAMPLES "ecmo_gateway_history_lost_samples_total"
        "Samples that the history had and the disk did not take.";

    // Backfill.
    Counter BACKFILL_REFUSED "ecmo_gateway_backfill_refused_total"
        "Parts of backfills, or frames in them, that nobody asked for or that are damaged.";

    // Displays.
    Gauge SUBSCRIPTIONS_ACTIVE "ecmo_gateway_subscriptions_active"
        "Streams to displays that are open.";
    Counter SUBSCRIPTION_DROPPED "ecmo_gateway_subscription_dropped_total"
        "Messages that a display did not get.";
    Counter CONNECTIONS_REFUSED "ecmo_gateway_connections_refused_total"
        "Connections of displays that were refused because the most were open.";

    Gauge DISPLAYS_ATTENDING "ecmo_gateway_displays_attending"
        "Displays that hold a lease and paint.";
    Gauge WARDS_UNATTENDED "ecmo_gateway_wards_unattended"
        "Wards with pumps that no display attends.";
    Counter CONFIRMATIONS "ecmo_gateway_alarm_confirmations_total"
        "Revisions of alarms that a display has confirmed that attends their ward.";
    Counter ALARMS_REDIRECTED "ecmo_gateway_alarms_redirected_total"
        "High alarms that were given to displays of every ward because none of their own had confirmed them in time.";

    // Certificates.
    Counter HANDSHAKES_REFUSED "ecmo_gateway_handshakes_refused_total"
        "Connections of displays that ended before anything was asked: no TLS in time, no certificate of the site, or not a display's.";
    Gauge CERTIFICATE_UNTIL "ecmo_gateway_certificate_expiration_timestamp_seconds"
        "Until when the gateway's certificate holds, in seconds since 1970; 0 without TLS.";
    Gauge UNPROTECTED "ecmo_gateway_unprotected"
        "1 where displays or a broker are reached over a network without TLS, else 0.";

    // Broker.
    Gauge MQTT_CONNECTED "ecmo_gateway_mqtt_connected"
        "1 while subscribed at the broker, else 0.";
    Counter MQTT_RECONNECTS "ecmo_gateway_mqtt_reconnects_total"
        "Connections to the broker that ended or failed.";
    Counter REQUESTS_DROPPED "ecmo_gateway_requests_dropped_total"
        "Probes, leases and backfill requests that were dropped because the path was down or full.";
    Counter SAID_DROPPED "ecmo_gateway_said_dropped_total"
        "Actions, decisions, heartbeats and drills that were dropped because the path was down or full.";
    Counter PEER_REJECTED "ecmo_gateway_peer_rejected_total"
        "Messages of other gateways that were refused.";
    Counter BACKFILL_PARTS_DROPPED "ecmo_gateway_backfill_parts_dropped_total"
        "Parts of backfills that found no room; they are asked for again.";

    // The gateway itself.
    Histogram(LATENCY) CANARY_LATENCY "ecmo_gateway_canary_latency_seconds"
        "From the sample of a drill to its decision, and to the first confirmation by a display.";
    Counter CANARY_FAILURES "ecmo_gateway_canary_failures_total"
        "Drills that were not decided, or not confirmed, in time.";
    Gauge WATCHDOG "ecmo_gateway_watchdog_timestamp_seconds"
        "Wall time at which the alarm thread last finished a round, in seconds since 1970.";
    Gauge MEMORY "process_resident_memory_bytes"
        "Memory of the process that is resident.";
    Counter CPU "process_cpu_seconds_total"
        "Processor time of the process, in whole seconds.";
    Gauge OPEN_FILES "process_open_fds"
        "Files and sockets of the process that are open.";
}
