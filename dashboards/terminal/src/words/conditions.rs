//! Every condition in words: its name on a display, and what to check at the pump. Proposals that no clinician has signed.

/// One condition in words.
struct Words {
    id: &'static str,
    text: &'static str,
    check: &'static str,
}

macro_rules! conditions {
    ($($id:literal: $text:literal, $check:literal;)*) => {
        /// What is not here is shown by its id, so that a newer gateway's condition is never lost. What a display infers
        /// is "possible", never certain.
        const CONDITIONS: &[Words] = &[$(Words { id: $id, text: $text, check: $check },)*];
    };
}

conditions! {
    "agent.not_sampling": "agent lives, and sends no samples",
        "the pump at its console; cables and settings of the agent's instruments, its log";
    "agent.recording": "agent does not record",
        "disk of the pump's agent: while it does not record, an outage loses what was measured";
    "air.arterial": "possible air on the arterial side: detector",
        "the line for air; how the patient is isolated: a stopped pump isolates nobody, clamps do; then the detector";
    "air.suspected": "possible air in the circuit",
        "pump head and drainage line for air and froth; connectors, taps, cannula; flow sensor's contact";
    "air.venous": "possible air on the venous side: detector",
        "drainage line, connectors and taps for a leak that draws air; suction; then the detector";
    "alarm.missed": "something was missed while disconnected",
        "the list of what was missed (ecmoctl missed), and the pump at its console; acknowledge once it is read";
    "alarm.verdict_differs": "agent and gateway judge differently",
        "the pump at its console; versions and profiles of agent and gateway, and the logs of both";
    "battery.critical": "battery nearly empty",
        "mains plug and outlet now; second battery; hand crank at the bed";
    "battery.low": "battery low",
        "mains plug and outlet; time left on the console; end the transport in time";
    "bleeding.trend": "possible loss of blood: a trend, no alarm",
        "wounds, drains, cannula sites, head; haematocrit, arterial pressure, heart rate; no sign excludes bleeding";
    "circuit.disconnection": "possible open circuit",
        "connectors, cannula sites and lines from cannula to cannula; clamps at hand; under the blankets too";
    "clock.skew": "clocks differ",
        "time service of the pump's agent and of the gateway; wall times of this pump are not to be trusted";
    "comm.broker": "gateway without its broker",
        "every pump at its console: nothing reaches this display; broker and network of the gateway";
    "comm.console_silent": "console silent",
        "the pump at its console; cable between console and agent; console's data output";
    "comm.damaged": "damaged frames arrive",
        "the gateway's log: who, by which path; network and broker of that path; the agent's version; is it a stranger";
    "comm.redundancy_lost": "one of two paths lost",
        "broker and network of the path that is gone; the pump is watched over the other one";
    "comm.stale": "no data from the pump",
        "the pump at its console; power and network of its agent";
    "delivery.unconfirmed": "no display has shown an alarm",
        "the pump that the alarm names, at its console; displays of the ward and their network";
    "delta.high": "membrane pressure drop high",
        "oxygenator for clots with a light; trend of the drop at the same flow; gas after the membrane; anticoagulation";
    "display.lost": "a display is gone or frozen",
        "the display that ecmoctl displays names: is it on, does its picture move; the other displays of the ward";
    "display.none": "nobody watches the ward",
        "go to the bedside; start a display for the ward, or open the one that is hidden";
    "display.silent": "no display of the ward can be heard",
        "sound of the displays: browser's permission, loudspeaker, volume";
    "drain.chatter": "possible chatter of the drainage",
        "volume, suction against the vein's wall, cannula's place and kinks; a higher speed does not bring flow back";
    "drain.high": "drainage pressure high: suction possibly lost",
        "drainage line and its connectors for an opening; is the pump turning; transducer open to air";
    "drain.low.alarm": "drainage pressure very low",
        "kinks, cannula's place, volume, pump speed; strong suction damages blood and frees gas";
    "drain.low.warn": "drainage pressure low",
        "kinks, cannula's place, volume, pump speed; position of head and neck";
    "drain.obstruction": "possible drainage obstruction or lack of volume",
        "kinks, cannula's place, volume, bleeding, pressure in chest or belly; more speed may not bring flow back";
    "drill.missed": "the alarm path failed its drill",
        "the pumps at their consoles; gateway, broker and displays: alarms may not come through";
    "flow.high": "blood flow high",
        "pump speed against what is intended; return side for an opening; weight and target as entered";
    "flow.low": "blood flow low",
        "drainage and return pressure, kinks, volume, pump speed; weight and target as entered";
    "flow.min_oxygenator": "blood flow below the oxygenator's least",
        "flow against what the oxygenator's maker allows; how long the wean takes; clots";
    "flow.retrograde": "blood possibly flows backwards",
        "is the pump turning, is a clamp needed: a stopped centrifugal pump occludes nothing; the sensor's direction";
    "flow.very_low": "blood flow very low",
        "the patient and the pump now; kinks, clamps, volume, drainage and return pressure, pump speed";
    "gas.failure": "possible gas failure: membrane does not oxygenate",
        "gas line from wall to membrane, blender, supply; gas exhaust free; blood gas after the membrane";
    "gas.fdo2.dev": "oxygen fraction off its setting",
        "blender and its supply; analyser's calibration";
    "gas.sweep.low": "sweep gas low",
        "gas line connected at both ends, no kink; flow meter, supply or cylinder; setting";
    "gateway.config_differs": "the two gateways differ",
        "profile, settings and versions of both gateways: they may alarm differently";
    "gateway.overload": "gateway overloaded: alarms late",
        "the pumps at their consoles; load of the gateway's computer";
    "gateway.peer_lost": "the other gateway is silent",
        "the other gateway and its network; this one watches alone";
    "gateway.recording": "gateway does not record",
        "disk of the gateway's journal and history: room, permissions, errors; live alarms go on, history has holes";
    "gateway.state": "what people do is not kept",
        "disk of the gateway's state: room, permissions, errors; a restart would forget acknowledgements and limits";
    "heater.over": "heater water too hot",
        "heater-cooler's set point and water; take it off the circuit when it does not obey; return temperature";
    "latency.agent": "agent slow: alarms late",
        "the pumps at their consoles; load of the agents' computers";
    "latency.display": "displays slow: alarms late",
        "displays that ecmoctl displays names; their network and load";
    "latency.network": "network slow: alarms late",
        "the pumps at their consoles; broker and network between agents and gateway";
    "level.low": "reservoir level low",
        "reservoir or bladder, drainage, volume, speed; level sensor's place";
    "ownership.unanswered": "nobody has taken the pump",
        "who looks after the patient: accept the pump, or ask who does";
    "oxygenator.clotting": "possible clotting of the oxygenator",
        "oxygenator for clots with a light; gas after the membrane; speed for the same flow; a spare ready";
    "post.high.alarm": "pressure after the membrane very high",
        "return line and cannula for kinks, clots, clamps; afterload, arterial pressure; pump speed";
    "post.high.warn": "pressure after the membrane high",
        "return line and cannula for kinks and clamps; afterload, arterial pressure; pump speed";
    "post.low": "pressure after the membrane fell: line possibly open",
        "return line, connectors and cannula for an opening; is the pump turning; transducer open to air";
    "power.depleting": "battery empty soon by its own trend",
        "mains plug and outlet; second battery; hand crank at the bed; what the console says of the battery";
    "power.mains_lost": "mains power lost",
        "plug, outlet, switch; battery time left; heater and gas devices on the same outlet";
    "pre.high.alarm": "pressure before the membrane very high",
        "return line for kinks and clamps; oxygenator for clots; pump speed; with a roller pump: danger of rupture";
    "pre.high.warn": "pressure before the membrane high",
        "return line for kinks and clamps; oxygenator for clots; pump speed";
    "pulse.low": "arterial pressure hardly pulsates: information",
        "is the heart ejecting, is the left side full; damped transducer or line";
    "pump.speed.high": "pump speed high",
        "speed against what is intended; why so much is needed: volume, kinks, clots";
    "pump.stop": "pump stopped",
        "pump head and drive, power, messages of the console; clamp: a stopped centrifugal pump occludes nothing";
    "recirculation": "possible recirculation",
        "cannula's place and depth, flow, volume; the patient's saturation, not the drainage saturation; bridge closed";
    "return.obstruction": "possible return obstruction",
        "return line and cannula for kinks, clots, clamps; position; afterload: did the arterial pressure rise with it";
    "sat.drain.low": "drainage saturation low",
        "blood flow, haemoglobin, the patient's oxygen need; sensor's calibration";
    "sat.post.low": "saturation after the membrane low",
        "sweep gas and oxygen fraction, gas line; oxygenator; blood gas after the membrane; sensor's calibration";
    "sensor.rate": "samples at a wrong rate",
        "settings of the instrument; load of the agent's computer; times of this value are not to be trusted";
    "source.duplicate": "two agents send as one pump",
        "which agent is at this pump; pump id in the settings of both";
    "temp.return.high": "return temperature high",
        "heater-cooler's set point and water; temperature probe; the patient's temperature";
    "temp.return.low": "return temperature low",
        "heater-cooler on and connected, set point; temperature probe; cooling intended?";
}

/// What to check for the fault of a sensor.
const SENSOR_CHECK: &str = "cable, plug, transducer and its zero, sensor's contact; until then read this value at the console";

fn words(id: &str) -> Option<&'static Words> {
    CONDITIONS.iter().find(|condition| condition.id == id)
}

/// The sensor's parameter, for the fault of one.
pub(crate) fn faulty_sensor(id: &str) -> Option<&str> {
    id.strip_prefix("sensor.fault.")
}

/// The name of a condition; `None` for one that is not in the list.
pub(crate) fn name(id: &str) -> Option<&'static str> {
    words(id).map(|words| words.text)
}

/// What to check at the pump; `None` for a condition that is not in the list.
pub(crate) fn check_text(id: &str) -> Option<&'static str> {
    if faulty_sensor(id).is_some() {
        return Some(SENSOR_CHECK);
    }
    words(id).map(|words| words.check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::alarm::condition::Condition;
    use ecmo_core::parameter::Parameter;
    use std::collections::BTreeSet;

    #[test]
    fn every_condition_of_the_core_has_its_words_and_no_other_has() {
        let here: BTreeSet<&str> = CONDITIONS.iter().map(|words| words.id).collect();
        let core: BTreeSet<&str> = Condition::ALL.iter().map(|each| each.family()).collect();
        assert_eq!(here, core);
        assert!(CONDITIONS.is_sorted_by_key(|words| words.id), "sorted, so named once");
        for parameter in Parameter::ALL {
            let id = Condition::sensor_fault(*parameter).to_string();
            assert_eq!(faulty_sensor(&id), Some(parameter.info().id));
            assert_eq!(check_text(&id), Some(SENSOR_CHECK));
        }
        assert_eq!(name("some.newer.condition"), None);
        assert_eq!(check_text("some.newer.condition"), None);
    }

    #[test]
    fn words_are_short_and_never_certain_of_what_is_inferred() {
        for Words { id, text, check } in CONDITIONS {
            assert!((8..=52).contains(&text.chars().count()), "{id}: {text}");
            assert!((30..=115).contains(&check.chars().count()), "{id}: {check}");
            let both = format!("{text} {check}").to_lowercase();
            for word in ["confirmed", "certain", "proven", "definite", "surely"] {
                assert!(!both.contains(word) || *id == "delivery.unconfirmed", "{id}: {word}");
            }
        }
        for inferred in [
            "air.arterial",
            "air.suspected",
            "air.venous",
            "bleeding.trend",
            "circuit.disconnection",
            "drain.chatter",
            "drain.obstruction",
            "gas.failure",
            "oxygenator.clotting",
            "post.low",
            "recirculation",
            "return.obstruction",
        ] {
            assert!(name(inferred).unwrap().contains("possibl"), "{inferred}");
        }
    }
}
