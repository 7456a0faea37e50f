//! Builds the agent for a bedside computer with an ARM processor, and lets it work under qemu against a real Mosquitto.

mod smoke;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::clock::Start;
use crate::packages::{NotOffered, Root, Wish};
use crate::process::{Project, output, run as run_command};
use crate::tools;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// For cargo's environment.
const TARGET_UPPER: &str = "AARCH64_UNKNOWN_LINUX_GNU";

/// The lowest Rust that builds the workspace.
const RUST_MIN: &str = env!("CARGO_PKG_RUST_VERSION");

/// One file that runs on any Linux of this processor: nobody has to match the C library of the bedside computer.
const STATIC: &str = "-Ctarget-feature=+crt-static";

/// Linker, C library and emulator.
const TOOLS: [&str; 3] = ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user-static"];

/// A Rust with the standard library of both processors, for who has none from rustup.
const RUST: [&str; 2] = ["rustc-web", "libstd-rust-web-dev:arm64"];

pub(crate) fn run(project: &Project, options: &[&str]) -> Result<()> {
    ensure!(options == ["aarch64"], "name the processor; there is `cargo xtask cross aarch64`");
    ensure!(
        std::env::consts::ARCH == "x86_64",
        "the compiler for ARM is fetched for x86-64 machines; on an ARM one, `cargo build --release` is enough"
    );
    tools::ensure_installed(project, &[tools::C_COMPILER, tools::MOSQUITTO, tools::MOSQUITTO_SUB])?;
    let begun = Start::now();
    let compiler = Compiler::find(project)?;
    println!("compiler after {:.0} s", begun.passed().as_secs_f64());
    let agent = compiler.build(project)?;
    println!("agent after {:.0} s", begun.passed().as_secs_f64());
    let emulator = compiler.root.program("qemu-aarch64-static");
    smoke::check(project, &emulator, &agent)?;
    println!("all after {:.0} s", begun.passed().as_secs_f64());
    Ok(())
}

/// The step of `ci`: where the packages do not exist, it says so and judges nothing.
pub(crate) fn check(project: &Project) -> Result<()> {
    match run(project, &["aarch64"]) {
        Err(error) if error.is::<NotOffered>() => {
            println!("SKIPPED, the agent for ARM is not checked: {error:#}");
            Ok(())
        }
        done => done,
    }
}

/// What compiles for the bedside computer.
struct Compiler {
    root: Root,
    folder: PathBuf,
    /// `None`: the Rust that runs this has the standard library.
    rustc: Option<PathBuf>,
}

impl Compiler {
    fn find(project: &Project) -> Result<Self> {
        let folder = project.target.join("cross");
        if has_standard_library(project)? {
            let wish = Wish { foreign: &[], packages: &TOOLS, foreign_kept: &[] };
            let root = Root::unpack(project, &folder, &wish)?;
            return Ok(Self { root, folder, rustc: None });
        }
        let packages = [TOOLS.as_slice(), &RUST].concat();
        let kept = ["libstd-rust-web-dev"];
        let wish = Wish { foreign: &["arm64"], packages: &packages, foreign_kept: &kept };
        let root = Root::unpack(project, &folder, &wish).with_context(|| {
            format!("no compiler for ARM (with a Rust from rustup: `rustup target add {TARGET}`)")
        })?;
        let said = output(&mut root.command(project, "rustc", &["--version"]))?;
        let version = String::from_utf8_lossy(&said.stdout).into_owned();
        if !is_new_enough(&version) {
            let what = format!(
                "rustc-web of this machine's sources is {:?}, older than {RUST_MIN}; with a Rust from rustup: `rustup \
                 target add {TARGET}`",
                version.trim()
            );
            bail!(NotOffered(what));
        }
        println!("{}", version.trim());
        let rustc = Some(wrap(&folder, &root, "rustc", "")?);
        Ok(Self { root, folder, rustc })
    }

    /// Builds the agent in the release profile and tells its size; returns what is copied to the bedside.
    fn build(&self, project: &Project) -> Result<PathBuf> {
        let sysroot = format!("--sysroot={}", self.root.folder().display());
        let linker = wrap(&self.folder, &self.root, "aarch64-linux-gnu-gcc", &sysroot)?;
        let archiver = wrap(&self.folder, &self.root, "aarch64-linux-gnu-ar", "")?;
        let builds = self.folder.join("build");
        let builds_word = builds.to_string_lossy();
        let mut command = project.cargo_command(&[
            "build",
            "--locked",
            "--release",
            "--package",
            "ecmo-agent",
            "--bin",
            "ecmo-agent",
            "--target",
            TARGET,
            "--target-dir",
            &builds_word,
        ]);
        command
            .env("CARGO_ENCODED_RUSTFLAGS", STATIC)
            .env(format!("CARGO_TARGET_{TARGET_UPPER}_LINKER"), &linker)
            .env(format!("CC_{}", TARGET.replace('-', "_")), &linker)
            .env(format!("AR_{}", TARGET.replace('-', "_")), &archiver);
        if let Some(rustc) = &self.rustc {
            command.env("RUSTC", rustc);
        }
        run_command(&mut command)?;
        let built = builds.join(TARGET).join("release").join("ecmo-agent");
        let stripped = self.folder.join("ecmo-agent");
        let (from, to) = (built.to_string_lossy(), stripped.to_string_lossy());
        let strip = ["-o", &to, &from];
        run_command(&mut self.root.command(project, "aarch64-linux-gnu-strip", &strip))?;
        println!(
            "ecmo-agent for {TARGET}, static: {:.2} MB stripped ({to}), {:.2} MB with symbols",
            megabytes(&stripped)?,
            megabytes(&built)?
        );
        Ok(stripped)
    }
}

/// Whether the Rust that runs this has the standard library of the target.
fn has_standard_library(project: &Project) -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let words = ["--print", "target-libdir", "--target", TARGET];
    let said = output(&mut project.command(rustc, &words))?;
    let folder = String::from_utf8_lossy(&said.stdout);
    Ok(said.status.success() && Path::new(folder.trim()).is_dir())
}

/// Whether `rustc 1.96.0 (…)` builds the workspace.
fn is_new_enough(version: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u32>> {
        text.split('.').take(2).map(|number| number.parse().ok()).collect()
    };
    let here = version.split(' ').nth(1).and_then(numbers);
    here.is_some() && here >= numbers(RUST_MIN)
}

/// A script that runs a program of the packages with its libraries: cargo takes a program, not a command line.
fn wrap(folder: &Path, root: &Root, program: &str, argument: &str) -> Result<PathBuf> {
    let path = folder.join(format!("run-{program}"));
    let argument = if argument.is_empty() { String::new() } else { format!("'{argument}' ") };
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' {argument}\"$@\"\n",
        root.libraries(),
        root.program(program).display()
    );
    // A new file would make cargo ask the compiler for everything again.
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(path);
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let status = Command::new("chmod").arg("755").arg(&path).status().context("chmod")?;
    ensure!(status.success(), "cannot make {} executable", path.display());
    Ok(path)
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn megabytes(file: &Path) -> Result<f64> {
    let bytes = fs::metadata(file).with_context(|| file.display().to_string())?.len();
    Ok(bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rust_that_builds_the_workspace_is_new_enough() {
        assert!(is_new_enough(&format!("rustc {RUST_MIN}.0 (abc 2026-05-25)\n")));
        assert!(is_new_enough("rustc 2.0.0"));
        for old in ["rustc 1.85.0 (abc)", "rustc", "", "rustc x.y.z"] {
            assert!(!is_new_enough(old), "{old:?}");
        }
    }

    #[test]
    fn no_other_processor_is_taken_for_this_one() {
        let project = Project::find().unwrap();
        for wrong in [&[][..], &["riscv64"], &["aarch64", "--fast"]] {
            assert!(run(&project, wrong).is_err(), "{wrong:?}");
        }
    }
}
