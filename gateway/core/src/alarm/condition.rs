//! The conditions that exist: stable ids, one list for rules, wire, scores and texts.

use core::fmt;

use crate::parameter::Parameter;

/// A condition id: a stable name, for a sensor's fault followed by the parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    name: &'static str,
    parameter: Option<Parameter>,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The patient or the blood side of the circuit.
    Physiological,
    /// A device, a sensor, a link or this system.
    Technical,
}

/// How urgent a condition is; the greater the more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// No alarm: a card to read, without sound.
    Information,
    /// Awareness.
    Low,
    /// Prompt response.
    Medium,
    /// Immediate response.
    High,
}

macro_rules! conditions {
    ($($constant:ident: $name:literal, $kind:ident, $text:literal;)*) => {
        impl Condition {
            $(#[doc = $text] pub const $constant: Self = Self::named($name);)*

            /// Every condition but the faults of single sensors, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$constant,)*];

            /// What the condition is about.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self.name {
                    $($name => Kind::$kind,)*
                    _ => Kind::Technical,
                }
            }
        }
    };
}

conditions! {
    FLOW_LOW: "flow.low", Physiological, "Blood flow by weight, or against its target, is low.";
    FLOW_VERY_LOW: "flow.very_low", Physiological, "Blood flow is below half of its target.";
    FLOW_HIGH: "flow.high", Physiological, "Blood flow by weight is high.";
    FLOW_RETROGRADE: "flow.retrograde", Physiological, "Blood runs backwards.";
    FLOW_MIN_OXYGENATOR: "flow.min_oxygenator", Technical, "Blood flow is below what the oxygenator needs.";
    PUMP_STOP: "pump.stop", Technical, "The pump does not move blood although it should (C1).";
    PUMP_SPEED_HIGH: "pump.speed.high", Technical, "The pump turns faster than the site allows.";
    DRAIN_LOW_WARN: "drain.low.warn", Physiological, "Drainage pressure is low.";
    DRAIN_LOW_ALARM: "drain.low.alarm", Physiological, "Drainage pressure is very low.";
    DRAIN_HIGH: "drain.high", Physiological, "Suction is lost while the pump turns.";
    PRE_HIGH_WARN: "pre.high.warn", Physiological, "Pressure before the membrane is high.";
    PRE_HIGH_ALARM: "pre.high.alarm", Physiological, "Pressure before the membrane is very high.";
    POST_HIGH_WARN: "post.high.warn", Physiological, "Pressure after the membrane is high.";
    POST_HIGH_ALARM: "post.high.alarm", Physiological, "Pressure after the membrane is very high.";
    POST_LOW: "post.low", Physiological, "Pressure after the membrane has fallen suddenly.";
    DELTA_HIGH: "delta.high", Physiological, "Pressure drop over the membrane is high.";
    AIR_ARTERIAL: "air.arterial", Physiological, "The arterial bubble detector sees air.";
    AIR_VENOUS: "air.venous", Physiological, "The venous bubble detector sees air.";
    AIR_SUSPECTED: "air.suspected", Physiological, "Flow, its sensor and the motor behave as with air in the blood (C7).";
    LEVEL_LOW: "level.low", Physiological, "The reservoir level is low.";
    SAT_DRAIN_LOW: "sat.drain.low", Physiological, "Drainage saturation is low.";
    SAT_POST_LOW: "sat.post.low", Physiological, "Saturation after the membrane is low.";
    GAS_SWEEP_LOW: "gas.sweep.low", Technical, "Sweep gas flow is low against what is set.";
    GAS_FDO2_DEV: "gas.fdo2.dev", Technical, "Oxygen fraction of the sweep gas differs from what is set.";
    GAS_FAILURE: "gas.failure", Technical, "The membrane does not oxygenate (C9).";
    TEMP_RETURN_HIGH: "temp.return.high", Physiological, "Blood returns too warm.";
    TEMP_RETURN_LOW: "temp.return.low", Physiological, "Blood returns too cold.";
    HEATER_OVER: "heater.over", Technical, "The heater's water is too hot.";
    POWER_MAINS_LOST: "power.mains_lost", Technical, "Mains power is lost (C10).";
    POWER_DEPLETING: "power.depleting", Technical, "The battery will be empty within minutes by its own slope (C10).";
    BATTERY_LOW: "battery.low", Technical, "The battery runs low.";
    BATTERY_CRITICAL: "battery.critical", Technical, "The battery is almost empty.";
    CIRCUIT_DISCONNECTION: "circuit.disconnection", Physiological, "The circuit may be open: disconnected, ruptured or pulled out (C2).";
    RETURN_OBSTRUCTION: "return.obstruction", Physiological, "The return line is obstructed (C3).";
    DRAIN_OBSTRUCTION: "drain.obstruction", Physiological, "The drainage is obstructed, or the patient lacks volume (C4).";
    OXYGENATOR_CLOTTING: "oxygenator.clotting", Physiological, "The membrane's resistance grows (C5).";
    DRAIN_CHATTER: "drain.chatter", Physiological, "The drainage cannula sucks itself to the vein again and again (C6).";
    RECIRCULATION: "recirculation", Physiological, "Oxygenated blood is drained again (C8, veno-venous).";
    BLEEDING_TREND: "bleeding.trend", Physiological, "Signs that go together with a loss of blood (C12); a card, no alarm.";
    PULSE_LOW: "pulse.low", Physiological, "The arterial pressure hardly pulsates (C13); information.";
    COMM_STALE: "comm.stale", Technical, "No fresh frame arrives from the pump's agent.";
    COMM_CONSOLE_SILENT: "comm.console_silent", Technical, "The agent lives, and its console says nothing.";
    COMM_BROKER: "comm.broker", Technical, "The gateway has no connection to its broker.";
    COMM_REDUNDANCY_LOST: "comm.redundancy_lost", Technical, "Frames come over one of two paths only.";
    COMM_DAMAGED: "comm.damaged", Technical, "Frames arrive that are damaged, or that do not belong where they are sent.";
    AGENT_NOT_SAMPLING: "agent.not_sampling", Technical, "The agent lives, and sends no frames.";
    AGENT_RECORDING: "agent.recording", Technical, "The agent does not keep its frames on disk: an outage would lose them.";
    ALARM_VERDICT_DIFFERS: "alarm.verdict_differs", Technical, "Agent and gateway judge the same samples differently, or by different rules.";
    SENSOR_RATE: "sensor.rate", Technical, "Samples come more often or more seldom than the agent says.";
    SOURCE_DUPLICATE: "source.duplicate", Technical, "Two agents publish as one pump.";
    CLOCK_SKEW: "clock.skew", Technical, "The agent's wall clock differs from the gateway's.";
    GATEWAY_OVERLOAD: "gateway.overload", Technical, "The alarm path misses its latency budget.";
    GATEWAY_RECORDING: "gateway.recording", Technical, "The gateway cannot keep what arrives.";
    GATEWAY_STATE: "gateway.state", Technical, "The gateway cannot keep on disk what people do.";
    GATEWAY_PEER_LOST: "gateway.peer_lost", Technical, "The other gateway is silent.";
    GATEWAY_CONFIG_DIFFERS: "gateway.config_differs", Technical, "The other gateway decides by other rules or settings.";
    LATENCY_AGENT: "latency.agent", Technical, "Samples take too long until their agent publishes them.";
    LATENCY_NETWORK: "latency.network", Technical, "Frames take too long from agent to gateway.";
    LATENCY_DISPLAY: "latency.display", Technical, "Alarms take too long from the decision to a display.";
    DRILL_MISSED: "drill.missed", Technical, "The synthetic alarm did not come through in time.";
    DISPLAY_NONE: "display.none", Technical, "No display watches the ward.";
    DISPLAY_SILENT: "display.silent", Technical, "No display of the ward can be heard.";
    DISPLAY_LOST: "display.lost", Technical, "A display is gone without a goodbye, or paints no longer.";
    OWNERSHIP_UNANSWERED: "ownership.unanswered", Technical, "A pump was offered or given up, and nobody took it.";
    ALARM_MISSED: "alarm.missed", Technical, "Something happened while the pump's frames did not arrive; a notice to read.";
    DELIVERY_UNCONFIRMED: "delivery.unconfirmed", Technical, "No display has confirmed that it shows a high alarm.";
}

impl Condition {
    /// Family of the faults of sensors.
    pub const SENSOR_FAULT_FAMILY: &'static str = "sensor.fault";

    /// A condition that is known by its name alone.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, parameter: None }
    }

    /// The fault of the sensor of one parameter (C11).
    #[must_use]
    pub const fn sensor_fault(parameter: Parameter) -> Self {
        Self { name: Self::SENSOR_FAULT_FAMILY, parameter: Some(parameter) }
    }

    /// The condition of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        let fault = id.strip_prefix(Self::SENSOR_FAULT_FAMILY).and_then(|id| id.strip_prefix('.'));
        match fault {
            Some(parameter) => Parameter::from_id(parameter).map(Self::sensor_fault),
            None => Self::ALL.iter().copied().find(|condition| condition.name == id),
        }
    }

    /// The name without a parameter: a label with few values.
    #[must_use]
    pub const fn family(self) -> &'static str {
        self.name
    }

    /// The parameter, for the fault of a sensor.
    #[must_use]
    pub const fn sensor(self) -> Option<Parameter> {
        self.parameter
    }

    /// Whether no context may disable or hide it: pump stop, disconnection, air, loss of data (reference, section 2.5).
    #[must_use]
    pub fn is_protected(self) -> bool {
        [
            Self::PUMP_STOP,
            Self::CIRCUIT_DISCONNECTION,
            Self::POST_LOW,
            Self::AIR_ARTERIAL,
            Self::AIR_VENOUS,
            Self::AIR_SUSPECTED,
            Self::COMM_STALE,
            Self::COMM_CONSOLE_SILENT,
            Self::COMM_BROKER,
            Self::SOURCE_DUPLICATE,
            Self::GATEWAY_OVERLOAD,
            Self::DELIVERY_UNCONFIRMED,
        ]
        .contains(&self)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parameter {
            None => formatter.write_str(self.name),
            Some(parameter) => write!(formatter, "{}.{}", self.name, parameter.info().id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_condition_is_found_by_its_id_and_named_once() {
        for (place, condition) in Condition::ALL.iter().enumerate() {
            assert_eq!(Condition::from_id(condition.family()), Some(*condition));
            assert!(!Condition::ALL[place + 1..].contains(condition), "{condition}");
        }
        for parameter in Parameter::ALL {
            let fault = Condition::sensor_fault(*parameter);
            assert_eq!(Condition::from_id(&fault.to_string()), Some(fault));
            assert_eq!(fault.kind(), Kind::Technical);
        }
        assert_eq!(Condition::from_id("pump.stopped"), None);
        assert_eq!(Condition::from_id("sensor.fault"), None);
    }
}
