//! The table in the document of the alarms is that of the starter profile.

use ecmo_core::alarm::condition::Condition;
use ecmo_profile::{in_document, starter, table};

const ALARMS: &str = include_str!("../../../docs/alarms.md");

#[test]
fn the_table_in_the_alarms_document_is_current() {
    let current = in_document(ALARMS, &starter());
    let current =
        current.expect("gateway/docs/alarms.md has <!-- profile table --> and <!-- end -->");
    assert!(
        current == ALARMS,
        "the table in gateway/docs/alarms.md is old: run cargo run -p ecmo-profile --example table"
    );
}

#[test]
fn the_table_goes_between_its_markers_and_nowhere_else() {
    let profile = starter();
    let document = "before\n<!-- profile table -->\nold\n<!-- end -->\nafter\n";
    let new = in_document(document, &profile).unwrap();
    assert!(new.starts_with("before\n<!-- profile table -->\n| condition |"));
    assert!(new.ends_with("|\n<!-- end -->\nafter\n"));
    assert!(!new.contains("old\n"));
    assert_eq!(in_document(&new, &profile).as_deref(), Some(new.as_str()));
    assert_eq!(in_document("no markers", &profile), None);
}

#[test]
fn every_rule_is_a_row_of_nine_cells() {
    let profile = starter();
    let table = table(&profile);
    for line in table.lines() {
        assert_eq!(line.matches('|').count(), 10, "{line}");
    }
    let keys = profile.limits.iter().map(|limit| limit.rule.key);
    for key in keys.chain(profile.composites.iter().map(|composite| composite.rule.key)) {
        assert!(table.contains(&format!("\n| `{key}` |")), "{key}");
    }
}

#[test]
fn every_condition_that_the_profile_or_the_core_decides_has_a_row() {
    let table = table(&starter());
    let has_row = |condition: &Condition| table.contains(&format!("\n| `{condition}` |"));
    let missing: Vec<&Condition> =
        Condition::ALL.iter().filter(|condition| !has_row(condition)).collect();
    // These are decided by times that no profile holds.
    let own = [
        &Condition::COMM_REDUNDANCY_LOST,
        &Condition::COMM_DAMAGED,
        &Condition::AGENT_NOT_SAMPLING,
        &Condition::AGENT_RECORDING,
        &Condition::ALARM_VERDICT_DIFFERS,
        &Condition::SENSOR_RATE,
        &Condition::GATEWAY_OVERLOAD,
        &Condition::GATEWAY_RECORDING,
        &Condition::GATEWAY_STATE,
        &Condition::GATEWAY_PEER_LOST,
        &Condition::GATEWAY_CONFIG_DIFFERS,
        &Condition::LATENCY_AGENT,
        &Condition::LATENCY_NETWORK,
        &Condition::LATENCY_DISPLAY,
        &Condition::DRILL_MISSED,
        &Condition::DISPLAY_NONE,
        &Condition::DISPLAY_SILENT,
        &Condition::DISPLAY_LOST,
        &Condition::OWNERSHIP_UNANSWERED,
        &Condition::ALARM_MISSED,
        &Condition::DELIVERY_UNCONFIRMED,
    ];
    assert_eq!(missing, own);
    assert!(table.contains("\n| `sensor.fault.<parameter>` |"));
}

#[test]
fn a_row_says_what_the_rule_does() {
    let table = table(&starter());
    for row in [
        "| `drain.low.warn` | press.drain < -50 mm[Hg], mean of 1 s | 2 s | >= -45 for 1 s | medium | physiological | no | running | -70 to -20 |",
        "| `flow.low#2` | flow.blood < 80 % of the case's flow_target, mean of 0.4 s | 3 s | >= limit + 5 % for 5 s | medium | physiological | no | running | 60 % to 95 % |",
        "| `flow.retrograde` | flow.blood < -5 mL/kg/min and < -20 mL/min, mean of 0.4 s | 0.5 s | >= 1 mL/min for 3 s | high | physiological | yes | always | no |",
        "| `flow.min_oxygenator` | flow.blood < 100 % of the case's oxygenator_flow_min, mean of 0.4 s | 60 s in sum | >= limit + 5 % for 5 s | low | technical | no | running | no |",
        "| `drain.high#2` | press.drain > -2 mm[Hg], mean of 1 s | 2 s | <= -5 for 1 s | high | physiological | no | faster than 1000 {rev}/min, centrifugal | no |",
        "| `gas.fdo2.dev` | distance of gas.fdo2 from gas.fdo2.set > 5 % | 10 s | <= 4 for 5 s | medium | technical | no | running | no |",
        "| `air.arterial` | air.bubble = 1 | none | 0 for 1 s | high | physiological | yes | always | no |",
        "| `power.mains_lost` | power.mains = 0 | 2 s | 1 for 1 s | medium | technical | no | always | no |",
        "| `pulse.low` | pulse_min_mmhg 10 | 25 s | no longer found for 60 s | information | physiological | no | by its signals, VA | no |",
    ] {
        assert!(table.contains(&format!("{row}\n")), "{row}\n{table}");
    }
}
