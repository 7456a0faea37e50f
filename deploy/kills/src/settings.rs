//! What agents and gateways are told: two brokers each, and alarms now and then, by the seed.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// The ward of everything.
pub(crate) const WARD: &str = "nicu";

/// The pumps.
pub(crate) const PUMPS: [&str; 3] = ["pump-1", "pump-2", "pump-3"];

/// Faults that one rule of samples alone decides, and the condition that each raises. A rule that needs the ten seconds before
/// would have none of them after a restart, and say so: that is no loss.
const FAULTS: [(&str, &str); 4] = [
    ("air-bubble", "air.arterial"),
    ("level-low", "level.low"),
    ("post-very-high", "post.high.alarm"),
    ("mains-loss", "power.mains_lost"),
];

/// Whether alarms of this condition are held against each other: what samples alone decide. When data was missing is seen by
/// each gateway for itself.
pub(crate) fn is_judged(condition: &str) -> bool {
    FAULTS.iter().any(|(_fault, raised)| *raised == condition)
}

/// Most faults that a simulated circuit takes.
const FAULTS_MAX: u32 = 64;

/// Before the first fault; short, because an agent that is killed begins anew.
const CALM_S: f64 = 3.0;

/// Faults of one agent from its start, one after the other: about 5 s from one to the next.
fn faults(random: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    let mut at_s = CALM_S;
    for number in 0..FAULTS_MAX {
        let (kind, _condition) = FAULTS.get(random.usize(..FAULTS.len())).unwrap_or(&FAULTS[0]);
        let lasts_s = 1.5 + 2.0 * random.f64();
        let comma = if number > 0 { ", " } else { "" };
        // Writing to a string cannot fail.
        let _cannot_fail =
            write!(text, "{comma}{{ kind = \"{kind}\", at_s = {at_s:.2}, for_s = {lasts_s:.2} }}");
        at_s += lasts_s + 2.0 + 3.0 * random.f64();
    }
    text
}

/// Settings of the agent of a pump.
pub(crate) fn agent(pump: &str, brokers: &[SocketAddr], random: &mut fastrand::Rng) -> String {
    let urls: Vec<_> = brokers.iter().map(|at| format!("\"mqtt://{at}\"")).collect();
    format!(
        "ward = \"{WARD}\"\npump = \"{pump}\"\nbrokers = [{}]\n\n[spool]\ndir = \"spool-{pump}\"\n\n\
         [[source]]\nkind = \"simulated\"\nseed = {}\nfaults = [{}]\n",
        urls.join(", "),
        random.u32(..),
        faults(random)
    )
}

/// Settings of a gateway.
pub(crate) fn gateway(
    name: &str,
    brokers: &[SocketAddr],
    serve: SocketAddr,
    metrics: SocketAddr,
) -> String {
    let urls = ["url", "second_url"].iter().zip(brokers);
    let urls: Vec<_> = urls.map(|(key, at)| format!("{key} = \"mqtt://{at}\"")).collect();
    let pumps: Vec<_> = PUMPS
        .iter()
        .map(|pump| format!("[[pump]]\nward = \"{WARD}\"\npump = \"{pump}\""))
        .collect();
    format!(
        "[gateway]\nname = \"{name}\"\n[broker]\n{}\n[serve]\nbind = \"{serve}\"\n[metrics]\nbind = \"{metrics}\"\n\
         [state]\ndir = \"state-{name}\"\n{}\n",
        urls.join("\n"),
        pumps.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let text = |seed| faults(&mut fastrand::Rng::with_seed(seed));
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
        assert_eq!(text(7).matches("kind").count(), 64);
    }

    #[test]
    fn only_what_samples_decide_is_judged() {
        assert!(is_judged("air.arterial") && !is_judged("comm.stale"));
    }
}
