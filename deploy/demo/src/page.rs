//! Builds the nurse station before the demo serves it, where Node is there and the sources are newer than what was built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// Oldest Node, major and minor, that builds the page.
const NODE_MIN: (u32, u32) = (20, 19);

/// What a person must do to get the page.
const NEEDS: &str =
    "it needs Node 20.19 or newer, npm and protoc (Debian: nodejs npm protobuf-compiler)";

/// What the page is made of, from its folder; everything else there is made.
const SOURCES: [&str; 8] = [
    "src",
    "scripts",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    "../../proto/ecmo",
];

/// Made by the build from the contract, below `src`.
const GENERATED: &str = "gen";

/// Lines of a failed command that are shown.
const LINES_SHOWN: usize = 12;

/// The folder to serve. Says on the way what is done, or why there is no page; the demo goes on either way.
pub(crate) fn prepare() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/nurse-station");
    let dist = folder.join("dist");
    match built(&folder, &dist) {
        Ok(()) => Some(dist),
        Err(why) => {
            println!("The nurse station in the browser is left out: {why}.");
            println!("    --no-page leaves it out without a word.");
            None
        }
    }
}

fn built(folder: &Path, dist: &Path) -> Result<(), String> {
    if !folder.join("package.json").is_file() {
        return Err(format!("its sources are not at {}", folder.display()));
    }
    let newest = SOURCES.iter().filter_map(|path| newest(&folder.join(path))).max();
    let of_build = modified(&dist.join("index.html"));
    if of_build.is_some() && of_build >= newest {
        return Ok(());
    }
    let node = said_by("node", &["--version"], folder).map_err(|_| NEEDS.to_owned())?;
    if !is_new_enough(&node) {
        return Err(format!("{NEEDS}; this is Node {}", node.trim()));
    }
    for (program, flag) in [("npm", "--version"), ("protoc", "--version")] {
        said_by(program, &[flag], folder).map_err(|_| format!("{NEEDS}; {program} is missing"))?;
    }
    println!("Building the nurse station; the next start finds it built.");
    install(folder)?;
    show("npm run build");
    said_by("npm", &["run", "build"], folder).map(|_said| ())
}

/// Installs what the page is built with, where it is missing or older than the list of it.
fn install(folder: &Path) -> Result<(), String> {
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder.join("package-lock.json")) {
        return Ok(());
    }
    show("npm ci");
    let quiet = ["ci", "--no-audit", "--no-fund", "--prefer-offline"];
    said_by("npm", &quiet, folder).map(|_said| ())
}

fn show(command: &str) {
    println!("    $ {command}    (in dashboards/nurse-station)");
}

/// What a program says; its last lines when it fails.
fn said_by(program: &str, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let done = command.output().map_err(|error| format!("{program} does not start: {error}"))?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(said);
    }
    let all = said + &String::from_utf8_lossy(&done.stderr);
    let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
    let last =
        lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default().join("\n    ");
    Err(format!("{program} {} failed:\n    {last}\n   ", arguments.join(" ")))
}

/// Whether `v20.20.2` is a Node that builds the page.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= NODE_MIN,
        _ => false,
    }
}

/// When a file, or the newest of a folder, was written.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        return modified(path);
    }
    let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
    let made = |path: &PathBuf| path.ends_with(GENERATED);
    entries.map(|entry| entry.path()).filter(|path| !made(path)).filter_map(|it| newest(&it)).max()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_node_that_is_too_old_is_told_from_one_that_is_not() {
        for version in ["v20.19.0", "v20.20.2\n", "v22.0.0", "v24.1.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["v20.18.9", "v18.20.0", "", "v", "node", "v20"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn the_newest_source_counts_and_what_is_generated_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str, seconds: u64| {
            let place = folder.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            let file = fs::File::create(place).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            file.set_modified(time).unwrap();
            time
        };
        at("src/a.ts", 10);
        let latest = at("src/deep/b.ts", 30);
        at("src/deep/gen/c.ts", 90);
        assert_eq!(newest(&folder.path().join("src")), Some(latest));
        assert_eq!(newest(&folder.path().join("none")), None);
    }

    #[test]
    fn a_page_that_is_newer_than_its_sources_is_served_without_node() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path().join("dist");
        let missing = built(folder.path(), &dist).unwrap_err();
        assert!(missing.contains("its sources are not at"), "{missing}");
        fs::write(folder.path().join("package.json"), "{}").unwrap();
        fs::create_dir(&dist).unwrap();
        fs::write(dist.join("index.html"), "").unwrap();
        assert_eq!(built(folder.path(), &dist), Ok(()));
    }

    #[test]
    fn a_command_that_fails_is_told_with_its_last_lines() {
        let here = Path::new(".");
        let script = "for i in $(seq 40); do echo line $i; done; echo worst >&2; exit 3";
        let told = said_by("sh", &["-c", script], here).unwrap_err();
        assert!(told.contains("worst") && told.contains("line 40"), "{told}");
        assert!(!told.contains("line 20"), "{told}");
        assert!(said_by("no-such-program", &[], here).unwrap_err().contains("does not start"));
    }
}
