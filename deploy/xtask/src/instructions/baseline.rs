//! The file of what things cost when it was last written, and how much more they may cost.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::process::Project;

/// Where it lies.
const FILE: &str = "deploy/bench/instructions.toml";

/// How it is written anew.
const WRITE: &str = "cargo xtask bench instructions --write";

/// More than this above the baseline fails, in parts of a hundred.
const MORE_MAX_PERCENT: u64 = 5;

/// Instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Costs {
    /// To judge one frame.
    pub(super) frame: u64,
    /// To hand one alarm change to one display, encoded.
    pub(super) change: u64,
    /// To hand it to one display more.
    pub(super) delivery: u64,
}

impl Costs {
    /// Each with its name in the file.
    pub(super) const fn named(&self) -> [(&'static str, u64); 3] {
        [("frame", self.frame), ("change", self.change), ("delivery", self.delivery)]
    }

    fn parse(text: &str) -> Result<Self> {
        let number = |name: &str| {
            let found =
                text.lines().filter_map(|line| line.split_once('=')).find_map(|(key, it)| {
                    (key.trim() == name).then(|| it.trim().replace('_', "").parse::<u64>())
                });
            found.with_context(|| format!("{FILE} has no {name}"))?.context("no number")
        };
        Ok(Self {
            frame: number("frame")?,
            change: number("change")?,
            delivery: number("delivery")?,
        })
    }

    fn text(&self) -> String {
        let mut text = format!(
            "# Instructions in the release profile, as valgrind counts them; {MORE_MAX_PERCENT} % more fail the check.\n\
             # Written by: {WRITE}\n\n"
        );
        let what = [
            "To judge a frame of 12 channels and 14 samples by all rules.",
            "To hand an alarm change to the mailbox of one display, and to encode it.",
            "To hand the same to one display more, whose bytes are those of the first.",
        ];
        for ((name, cost), what) in self.named().into_iter().zip(what) {
            // Writing to a string cannot fail.
            let _cannot_fail = writeln!(text, "# {what}\n{name} = {cost}");
        }
        text
    }

    /// This baseline beside what is measured now.
    pub(super) fn table(&self, now: &Self) -> String {
        let mut text =
            format!("{:12}{:>10}{:>10}{:>10}", "instructions", "baseline", "now", "at most");
        for ((name, before), (_name, cost)) in self.named().into_iter().zip(now.named()) {
            // Writing to a string cannot fail.
            let _cannot_fail =
                write!(text, "\n{name:12}{before:>10}{cost:>10}{:>10}", most(before));
        }
        text
    }

    /// Fails when something costs too much more than in this baseline.
    pub(super) fn hold(&self, now: &Self) -> Result<()> {
        for ((name, before), (_name, cost)) in self.named().into_iter().zip(now.named()) {
            ensure!(
                cost <= most(before),
                "{name} costs {cost} instructions, more than {MORE_MAX_PERCENT} % above the {before} of {FILE}. If that is \
                 meant, write it anew with `{WRITE}`, and say why where it is committed"
            );
            if most(cost) < before {
                println!("{name} costs less than before: `{WRITE}` keeps it so");
            }
        }
        Ok(())
    }
}

const fn most(before: u64) -> u64 {
    before + before * MORE_MAX_PERCENT / 100
}

fn path(project: &Project) -> PathBuf {
    project.root.join(FILE)
}

/// Reads it.
pub(super) fn read(project: &Project) -> Result<Costs> {
    let text = std::fs::read_to_string(path(project))
        .with_context(|| format!("cannot read {FILE}; write it with `{WRITE}`"))?;
    Costs::parse(&text)
}

/// Writes it anew.
pub(super) fn write(project: &Project, costs: &Costs) -> Result<()> {
    std::fs::write(path(project), costs.text()).with_context(|| format!("cannot write {FILE}"))?;
    println!("written to {FILE}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Costs = Costs { frame: 30_000, change: 4_000, delivery: 200 };

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Costs::parse(&BEFORE.text()).unwrap(), BEFORE);
        assert!(Costs::parse("frame = 3\nchange = x\n").is_err());
        assert!(
            Costs::parse("frame = 3\nchange = 4\n").unwrap_err().to_string().contains("delivery")
        );
    }

    #[test]
    fn five_percent_more_hold_and_one_beyond_fails_and_says_what_to_do() {
        assert!(BEFORE.hold(&Costs { frame: 31_500, change: 4_200, delivery: 210 }).is_ok());
        assert!(BEFORE.hold(&Costs { frame: 1_000, ..BEFORE }).is_ok());
        let error = BEFORE.hold(&Costs { delivery: 211, ..BEFORE }).unwrap_err().to_string();
        assert!(error.contains("delivery costs 211") && error.contains("--write"), "{error}");
        assert!(BEFORE.hold(&Costs { frame: 31_501, ..BEFORE }).is_err());
    }
}
