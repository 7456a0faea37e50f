//! Codes of the parameters in a public nomenclature, for those few that have one.

use ecmo_core::parameter::Parameter;

/// The code of a parameter in ISO/IEEE 11073-10101 as "MDC:number"; `None`: the nomenclature has none for it.
///
/// Circuit quantities have none: what looks alike there is about dialysis or about the patient.
#[must_use]
pub const fn code(parameter: Parameter) -> Option<&'static str> {
    use Parameter as P;
    match parameter {
        P::SatDrain => Some("MDC:150332"),
        P::Hb => Some("MDC:159764"),
        P::Hct => Some("MDC:160132"),
        P::TempDrain => Some("MDC:150396"),
        P::TempReturn => Some("MDC:150352"),
        P::PatientHr => Some("MDC:147842"),
        P::PatientPulse => Some("MDC:149514"),
        P::PatientSpo2 => Some("MDC:150456"),
        P::PatientSpo2Preductal => Some("MDC:160296"),
        P::PatientSpo2Postductal => Some("MDC:160300"),
        P::PatientAbpSys => Some("MDC:150037"),
        P::PatientAbpDia => Some("MDC:150038"),
        P::PatientAbpMean => Some("MDC:150039"),
        P::PatientCvp => Some("MDC:150084"),
        P::PatientTempCore => Some("MDC:150368"),
        P::PumpSpeed
        | P::PumpSpeedSet
        | P::PumpFlowSet
        | P::FlowBlood
        | P::FlowBloodIndexed
        | P::PressDrain
        | P::PressPre
        | P::PressPost
        | P::PressDelta
        | P::PressAux
        | P::SatPre
        | P::SatPost
        | P::Po2Pre
        | P::Po2Post
        | P::Pco2Pre
        | P::Pco2Post
        | P::PhPost
        | P::HeaterWater
        | P::HeaterSet
        | P::GasSweep
        | P::GasSweepSet
        | P::GasFdo2
        | P::GasFdo2Set
        | P::GasCo2Exhaust
        | P::GasPressure
        | P::AirBubble
        | P::AirVenous
        | P::LevelReservoir
        | P::FlowAcousticQuality
        | P::MotorCurrent
        | P::MotorTorque
        | P::MotorPower
        | P::PowerMains
        | P::BatteryCharge
        | P::BatteryTimeLeft
        | P::BoardTemp
        | P::PatientAbp
        | P::PatientNirsCerebralLeft
        | P::PatientNirsCerebralRight
        | P::PatientNirsSomatic
        | P::PatientWeight => None,
    }
}
