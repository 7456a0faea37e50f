//! Every fault has an expectation that names conditions which exist, and that a rule can keep.

use core::time::Duration;

use ecmo_circuit::{Disturbance, Fault, Feed};
use ecmo_core::alarm::condition::{Condition, Priority};

#[test]
fn every_expectation_names_known_conditions() {
    for fault in Fault::ALL {
        let expectation = fault.expectation();
        assert!(!expectation.any_of.is_empty(), "{fault}");
        for id in expectation.any_of {
            assert!(Condition::from_id(id).is_some(), "{fault}: {id}");
        }
        assert!(expectation.within >= Duration::from_millis(40), "{fault}");
        assert!(expectation.within < Duration::from_secs(3_600), "{fault}");
    }
}

#[test]
fn what_kills_within_seconds_is_expected_high_and_within_seconds() {
    for fault in [
        Fault::PumpStop,
        Fault::PumpSpeedUnknown,
        Fault::ReturnOpen,
        Fault::MembraneInletOpen,
        Fault::DrainageOpen,
        Fault::AirBubble,
        Fault::AirVenous,
        Fault::FlowRetrograde,
    ] {
        let expectation = fault.expectation();
        assert_eq!(expectation.priority_floor, Priority::High, "{fault}");
        assert!(expectation.within <= Duration::from_millis(1_200), "{fault}");
    }
}

#[test]
fn a_console_is_slower_or_cannot_see_it() {
    for fault in Fault::ALL {
        match fault.expectation_with(Feed::Console) {
            Some(console) => assert!(console.within > fault.expectation().within, "{fault}"),
            None => assert!([Fault::Chatter, Fault::AirEntrainment].contains(fault), "{fault}"),
        }
        assert_eq!(fault.expectation_with(Feed::Raw), Some(fault.expectation()));
    }
}

#[test]
fn disturbances_have_names_of_their_own() {
    for (place, disturbance) in Disturbance::ALL.iter().enumerate() {
        let later = &Disturbance::ALL[place + 1..];
        assert!(later.iter().all(|other| other.name() != disturbance.name()));
        assert!(!disturbance.description().is_empty());
        assert!(Fault::ALL.iter().all(|fault| fault.name() != disturbance.name()));
    }
}
