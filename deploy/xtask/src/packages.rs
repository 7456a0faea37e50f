//! Debian packages unpacked into a folder of the build: nothing is installed, the system's apt is not changed, no root needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{Project, output};

/// The architecture of the machine that builds, as Debian names it.
const HERE: &str = "amd64";

/// Read after the machine's own settings, so that its sources, keys and proxies are kept. What follows an update or an install
/// of the system is not ours to start, and an index of icons is of no use.
const APT_SETTINGS: &str = r#"Dir::State "FOLDER/state";
Dir::State::status "FOLDER/state/status";
Dir::State::lists "FOLDER/lists";
Dir::Cache "FOLDER/cache";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures { ARCHITECTURES };
APT::Sandbox::User "";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "3";
Acquire::Languages "none";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
"#;

/// The machine's package sources lack what is needed.
#[derive(Debug)]
pub(crate) struct NotOffered(pub(crate) String);

impl std::fmt::Display for NotOffered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NotOffered {}

/// What to unpack.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    /// Architectures whose lists are read, as Debian names them, beside that of this machine.
    pub(crate) foreign: &'a [&'a str],
    /// Packages as apt takes them; what they depend on comes along.
    pub(crate) packages: &'a [&'a str],
    /// Packages of a foreign architecture that are unpacked; the others of it are only depended on.
    pub(crate) foreign_kept: &'a [&'a str],
}

/// Programs and libraries in a folder of their own.
#[derive(Debug)]
pub(crate) struct Root {
    folder: PathBuf,
}

impl Root {
    /// Unpacks the packages below `folder`, unless they are there from an earlier run.
    pub(crate) fn unpack(project: &Project, folder: &Path, wish: &Wish<'_>) -> Result<Self> {
        let root = Self { folder: folder.join("root") };
        // Written last: without it, the folder is only half full.
        let mark = folder.join("unpacked");
        let wanted = format!("{wish:?}\n");
        if fs::read_to_string(&mark).is_ok_and(|text| text == wanted) {
            return Ok(root);
        }
        for program in ["apt-get", "dpkg-deb"] {
            if !project.has(program) {
                bail!(NotOffered(format!(
                    "no {program} here; this needs Debian or a relative of it"
                )));
            }
        }
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        let apt = Apt::prepare(project, folder, wish)?;
        for archive in apt.fetch(wish)? {
            let (from, to) = (archive.to_string_lossy(), root.folder.to_string_lossy());
            let unpacked = output(&mut project.command("dpkg-deb", &["-x", &from, &to]))?;
            let errors = String::from_utf8_lossy(&unpacked.stderr);
            ensure!(unpacked.status.success(), "cannot unpack {from}: {errors}");
            fs::remove_file(&archive).with_context(|| format!("cannot remove {from}"))?;
        }
        fs::write(&mark, wanted).context("cannot mark the packages as unpacked")?;
        Ok(root)
    }

    /// The folder that stands for `/`.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of the packages.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("usr/bin").join(name)
    }

    /// Where the programs find their libraries, as `LD_LIBRARY_PATH` takes it.
    pub(crate) fn libraries(&self) -> String {
        let of = |folder: &str| self.folder.join(folder).display().to_string();
        format!("{}:{}", of("usr/lib/x86_64-linux-gnu"), of("lib/x86_64-linux-gnu"))
    }

    /// A command of the packages, with its libraries.
    pub(crate) fn command(&self, project: &Project, name: &str, arguments: &[&str]) -> Command {
        let mut command = project.command(self.program(name), arguments);
        command.env("LD_LIBRARY_PATH", self.libraries());
        command
    }
}

/// An apt that believes that nothing is installed, and keeps what it knows in folders of its own.
struct Apt<'a> {
    project: &'a Project,
    settings: PathBuf,
    archives: PathBuf,
}

impl<'a> Apt<'a> {
    fn prepare(project: &'a Project, folder: &Path, wish: &Wish<'_>) -> Result<Self> {
        for part in ["state", "lists/partial", "cache/archives/partial", "root"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        }
        fs::write(folder.join("state/status"), "").context("cannot write apt's state")?;
        let settings = folder.join("apt.conf");
        let architectures: Vec<_> =
            [HERE].iter().chain(wish.foreign).map(|name| format!("\"{name}\";")).collect();
        let text = APT_SETTINGS
            .replace("FOLDER", &folder.to_string_lossy())
            .replace("ARCHITECTURES", &architectures.join(" "));
        fs::write(&settings, text).context("cannot write apt's settings")?;
        Ok(Self { project, settings, archives: folder.join("cache/archives") })
    }

    /// The archives of the packages and of what they need.
    fn fetch(&self, wish: &Wish<'_>) -> Result<Vec<PathBuf>> {
        let updated = output(&mut self.get(&["update", "-qq"]))?;
        let trouble = String::from_utf8_lossy(&updated.stderr);
        let words = ["install", "-s", "-q", "--no-install-recommends"];
        let planned = output(&mut self.get(&[words.as_slice(), wish.packages].concat()))?;
        if !planned.status.success() {
            let why = format!(
                "the package sources of this machine lack some of {}:\n{trouble}{}",
                wish.packages.join(" "),
                String::from_utf8_lossy(&planned.stderr)
            );
            // A source that cannot be reached may well have them.
            ensure!(!trouble.contains("Failed to fetch"), why);
            bail!(NotOffered(why));
        }
        let plan = String::from_utf8_lossy(&planned.stdout);
        let names: Vec<String> =
            plan.lines().filter_map(|line| planned_package(line, wish.foreign_kept)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        println!("fetches {} packages", names.len());
        let download = [["download", "-qq"].as_slice(), &names].concat();
        let fetched = output(self.get(&download).current_dir(&self.archives))?;
        let errors = String::from_utf8_lossy(&fetched.stderr);
        ensure!(fetched.status.success(), "cannot fetch the packages:\n{errors}");
        let mut archives = Vec::new();
        for entry in fs::read_dir(&self.archives).context("no archives")? {
            let path = entry.context("no archive")?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                archives.push(path);
            }
        }
        ensure!(
            archives.len() == names.len(),
            "{} of {} packages came",
            archives.len(),
            names.len()
        );
        Ok(archives)
    }

    fn get(&self, arguments: &[&str]) -> Command {
        let settings = self.settings.to_string_lossy();
        let mut command =
            self.project.command("apt-get", &[&["-c", &settings], arguments].concat());
        command.env("LC_ALL", "C");
        command
    }
}

/// `Inst NAME (VERSION … [ARCHITECTURE])` of a plan, as apt downloads it; `None` for what is not unpacked.
fn planned_package(line: &str, foreign_kept: &[&str]) -> Option<String> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(" (")?;
    let name = name.split(':').next()?;
    let version = rest.split(' ').next()?;
    let architecture = rest.split_once('[')?.1.split(']').next()?;
    let kept = match architecture {
        // The loader of this machine has its own, and another would not fit it.
        HERE => name != "libc6",
        "all" => true,
        _foreign => foreign_kept.contains(&name),
    };
    kept.then(|| match architecture {
        "all" => format!("{name}={version}"),
        _one => format!("{name}:{architecture}={version}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_plan_only_what_runs_here_or_is_asked_for_is_fetched() {
        let kept = |line: &str| planned_package(line, &["libstd-x-dev"]);
        let fetched = |name: &str| Some(name.to_owned());
        assert_eq!(kept("Inst rustc-x (1.2~b (a, b) [amd64])"), fetched("rustc-x:amd64=1.2~b"));
        assert_eq!(kept("Inst libc6-cross (2:36 Debian:12 [all]) []"), fetched("libc6-cross=2:36"));
        assert_eq!(
            kept("Inst libstd-x-dev:arm64 (3 Debian:12 [arm64]) [x y ]"),
            fetched("libstd-x-dev:arm64=3")
        );
        assert_eq!(kept("Inst libllvm:arm64 (3 Debian:12 [arm64])"), None);
        assert_eq!(kept("Inst libc6 (2.36 Debian:12 [amd64])"), None);
        assert_eq!(kept("Conf rustc-x (1.2 Debian:12 [amd64])"), None);
    }
}
