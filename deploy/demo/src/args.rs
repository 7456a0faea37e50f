//! What the demo is asked to do.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::Parser;
use ecmo_agent::FaultKind;

/// Most pumps of a demo: a large unit twice over; each costs a thread.
const PUMPS_MAX: u16 = 64;

/// The whole path on one command: an MQTT broker, simulated ECMO pumps that publish to it, the gateway, and a display
/// that confirms each alarm. Research software, not a medical device.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "cargo demo",
    version,
    after_help = "Exit codes: 0 ended as asked; 1 a part failed; 2 wrong arguments, or an address that is taken."
)]
pub(crate) struct Arguments {
    /// Number of simulated pumps, 1 to 64.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=i64::from(PUMPS_MAX)))]
    pub(crate) pumps: u16,

    /// A fault of one pump after so many seconds, such as pump-stop@2:5; may be given several times. "list" prints every
    /// fault with what should alarm.
    #[arg(long = "fault", value_name = "KIND@PUMP:SECONDS")]
    pub(crate) fault_requests: Vec<FaultRequest>,

    /// Ends after so many seconds and prints the latency of every hop; without it, Ctrl-C does.
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: Option<u32>,

    /// Leaves out the nurse station in the browser; otherwise it is built where Node is there, and served.
    #[arg(long)]
    pub(crate) no_page: bool,

    /// The same seed gives the same circuits.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where displays connect; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) bind: SocketAddr,

    /// Where Prometheus reads metrics; port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:9464")]
    pub(crate) metrics: SocketAddr,
}

/// What `--fault` asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FaultRequest {
    /// The list of all faults.
    List,
    /// A fault.
    Of(PumpFault),
}

impl FromStr for FaultRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "list" { Ok(Self::List) } else { text.parse().map(Self::Of) }
    }
}

/// A fault of one pump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PumpFault {
    pub(crate) kind: FaultKind,
    /// Number of the pump, from 1.
    pub(crate) pump: u16,
    /// Seconds after the start.
    pub(crate) at_s: f64,
}

impl FromStr for PumpFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("{text:?} is not KIND@PUMP:SECONDS, such as pump-stop@2:5");
        let (kind, rest) = text.split_once('@').ok_or_else(shape)?;
        let (pump, seconds) = rest.split_once(':').ok_or_else(shape)?;
        let kind = kind.parse::<FaultKind>().map_err(|error| error.to_string())?;
        let pump = pump.parse().ok().filter(|pump| *pump > 0).ok_or_else(shape)?;
        let at_s = seconds.parse().ok().filter(|at: &f64| (0.0..=86_400.0).contains(at));
        Ok(Self { kind, pump, at_s: at_s.ok_or_else(shape)? })
    }
}

impl Arguments {
    /// The faults that are asked for.
    pub(crate) fn faults(&self) -> impl Iterator<Item = PumpFault> + '_ {
        self.fault_requests.iter().filter_map(|request| match request {
            FaultRequest::Of(fault) => Some(*fault),
            FaultRequest::List => None,
        })
    }

    /// Whether the list of faults is asked for.
    pub(crate) fn is_list_wanted(&self) -> bool {
        self.fault_requests.contains(&FaultRequest::List)
    }

    /// Checks what clap cannot: a fault of a pump that there is not.
    ///
    /// # Errors
    /// Says which fault, and what to do.
    pub(crate) fn check(&self) -> Result<(), String> {
        let beyond = self.faults().find(|fault| fault.pump > self.pumps);
        beyond.map_or(Ok(()), |fault| {
            Err(format!(
                "--fault {}@{}: there are {} pumps; name one of 1 to {}, or ask for more with --pumps",
                fault.kind, fault.pump, self.pumps, self.pumps
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_kind_its_pump_and_its_second() {
        let fault = PumpFault { kind: FaultKind::PumpStop, pump: 2, at_s: 5.0 };
        assert_eq!("pump-stop@2:5".parse(), Ok(fault));
        assert_eq!("pump-stop@2:0.5".parse(), Ok(PumpFault { at_s: 0.5, ..fault }));
    }

    #[test]
    fn the_list_of_faults_is_asked_for_by_name() {
        let arguments = Arguments::parse_from(["demo", "--fault", "list"]);
        assert!(arguments.is_list_wanted() && arguments.faults().count() == 0);
        let arguments = Arguments::parse_from(["demo", "--fault", "chatter@1:2"]);
        assert!(!arguments.is_list_wanted() && arguments.faults().count() == 1);
    }

    #[test]
    fn a_fault_that_cannot_be_is_refused_with_what_to_do() {
        for text in
            ["", "pump-stop", "pump-stop@2", "pump-stop@0:5", "pump-stop@2:-1", "pump-stop@2:nan"]
        {
            let error = text.parse::<PumpFault>().unwrap_err();
            assert!(error.contains("KIND@PUMP:SECONDS"), "{error}");
        }
        let error = "pump-fire@2:5".parse::<PumpFault>().unwrap_err();
        assert!(error.contains("pump-stop"), "{error}");
    }

    #[test]
    fn a_fault_of_a_pump_that_there_is_not_is_refused() {
        let arguments = Arguments::parse_from(["demo", "--pumps", "3", "--fault", "pump-stop@4:1"]);
        assert!(arguments.check().unwrap_err().contains("1 to 3"));
        let arguments = Arguments::parse_from(["demo", "--pumps", "4", "--fault", "pump-stop@4:1"]);
        assert_eq!(arguments.check(), Ok(()));
    }
}
