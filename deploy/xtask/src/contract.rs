//! Checks the contract with Buf: its rules, what broke since the last release, and an independent reading of old bytes.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::process::{Project, output, run};
use crate::tools;

pub(crate) fn check(project: &Project) -> Result<()> {
    let buf = tools::buf(project)?;
    run(&mut project.command(&buf, &["lint", "proto"]))?;
    match last_release(project)? {
        Some(tag) => {
            let against = format!(".git#tag={tag},subdir=proto");
            run(&mut project.command(&buf, &["breaking", "proto", "--against", &against]))?;
        }
        None => println!("no release is tagged yet: nothing that could have been broken"),
    }
    read_golden_bytes(project, &buf)
}

/// The newest tag, when the project is a git checkout and has one.
fn last_release(project: &Project) -> Result<Option<String>> {
    if !project.root.join(".git").exists() {
        println!("not a git checkout: no release to compare with");
        return Ok(None);
    }
    let arguments = ["tag", "--list", "v*", "--sort=-version:refname", "--merged", "HEAD"];
    let tags = output(&mut project.command("git", &arguments))?;
    ensure!(tags.status.success(), "git tag: {}", String::from_utf8_lossy(&tags.stderr));
    Ok(String::from_utf8_lossy(&tags.stdout).lines().next().map(str::to_owned))
}

/// Reads the golden bytes of every release with Buf, which shares no code with us.
fn read_golden_bytes(project: &Project, buf: &Path) -> Result<()> {
    let golden = project.root.join("proto/tests/golden");
    let binary = project.scratch()?.join("golden.binpb");
    let mut count = 0;
    for release in entries(&golden)? {
        for file in entries(&release)? {
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            fs::write(&binary, from_hex(&text)?).context("cannot write the bytes")?;
            let message = message_name(&file.file_stem().unwrap_or_default().to_string_lossy());
            let from = binary.to_string_lossy();
            let read = ["convert", "proto", "--type", &message, "--from", &from];
            let json = output(&mut project.command(buf, &read))?;
            let error = String::from_utf8_lossy(&json.stderr);
            ensure!(json.status.success(), "Buf cannot read {}: {error}", file.display());
            let value: serde_json::Value = serde_json::from_slice(&json.stdout)?;
            let fields = value.as_object().map_or(0, serde_json::Map::len);
            ensure!(fields > 1, "Buf finds {fields} fields in {}", file.display());
            count += 1;
        }
    }
    ensure!(count > 0, "no golden bytes below {}", golden.display());
    println!("Buf reads the golden bytes of {count} messages");
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let digits: String = text.split_whitespace().collect();
    ensure!(digits.len().is_multiple_of(2) && digits.is_ascii(), "an odd number of digits");
    (0..digits.len())
        .step_by(2)
        .map(|at| {
            u8::from_str_radix(digits.get(at..at + 2).unwrap_or_default(), 16).context("no digit")
        })
        .collect()
}

/// `watch_alarms_response` becomes `ecmo.v1.WatchAlarmsResponse`.
fn message_name(stem: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect::<String>()
    };
    format!("ecmo.v1.{}", stem.split('_').map(capital).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_its_message() {
        assert_eq!(message_name("watch_alarms_response"), "ecmo.v1.WatchAlarmsResponse");
        assert_eq!(from_hex("00ff\n7d\n").unwrap(), [0x00, 0xff, 0x7d]);
        assert!(from_hex("0").is_err());
        assert!(from_hex("0g").is_err());
    }
}
