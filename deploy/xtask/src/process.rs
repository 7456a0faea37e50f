//! Runs programs from the project's root: prints what it runs, fails when they fail, leaves none behind.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};

/// Where servers are installed; a person's `PATH` often lacks them.
const SERVER_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The checkout and where its builds go.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    path: OsString,
}

impl Project {
    pub(crate) fn find() -> Result<Self> {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = crate_folder.ancestors().nth(2).context("deploy/xtask lies in the project")?;
        let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        let known = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&known).chain(SERVER_FOLDERS.map(PathBuf::from));
        let path = env::join_paths(folders).context("PATH")?;
        Ok(Self { root: root.to_owned(), target: root.join(target), path })
    }

    /// Whether a program is installed.
    pub(crate) fn has(&self, program: &str) -> bool {
        env::split_paths(&self.path).any(|folder| folder.join(program).is_file())
    }

    /// A program that was built without `--release`.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// A folder for files that a check makes.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let folder = self.target.join("xtask");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    pub(crate) fn command(&self, program: impl AsRef<Path>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(arguments).current_dir(&self.root).env("PATH", &self.path);
        command
    }

    pub(crate) fn cargo_command(&self, arguments: &[&str]) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.command(cargo, arguments)
    }

    pub(crate) fn cargo(&self, arguments: &[&str]) -> Result<()> {
        run(&mut self.cargo_command(arguments))
    }
}

/// Runs to the end, output shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command.status().with_context(|| format!("cannot start {}", name(command)))?;
    ensure!(status.success(), "{} ended with {status}", name(command));
    Ok(())
}

/// Runs to the end and returns what it wrote, whatever its exit code.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", name(command)))
}

/// A program in the background whose output goes to a file; killed when dropped.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Background {
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        show(command);
        let file =
            fs::File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let errors = file.try_clone().context("cannot share the log")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", name(command)))?;
        Ok(Self { child, name: name(command), log })
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read(&self.log)
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .unwrap_or_default()
    }

    /// Asks it to end, as a service manager does.
    pub(crate) fn ask_to_end(&self, project: &Project) -> Result<()> {
        run(&mut project
            .command("sh", &["-c", "kill -TERM \"$1\"", "ask", &self.child.id().to_string()]))
    }

    /// How it ended; an error while it runs.
    pub(crate) fn ended(&mut self) -> Result<ExitStatus> {
        let ended =
            self.child.try_wait().with_context(|| format!("cannot ask for {}", self.name))?;
        ended.ok_or_else(|| anyhow!("{} is still running", self.name))
    }

    /// An error when it has ended.
    pub(crate) fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait().with_context(|| format!("cannot ask for {}", self.name))? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}; it wrote:\n{}", self.name, self.log()),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself, which is what was wanted.
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr().context("the port has no number")?.port())
}

fn name(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn show(command: &Command) {
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    println!("$ {} {}", name(command), arguments.join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_an_error_that_names_it() {
        let project = Project::find().unwrap();
        assert!(run(&mut project.command("true", &[])).is_ok());
        let error = run(&mut project.command("false", &[])).unwrap_err().to_string();
        assert!(error.starts_with("false ended with"), "{error}");
        assert!(run(&mut project.command("no-such-program", &[])).is_err());
    }

    #[test]
    fn programs_are_found_in_the_path_only() {
        let project = Project::find().unwrap();
        assert!(project.has("sh"));
        assert!(!project.has("no-such-program"));
        assert!(project.root.join("Cargo.toml").is_file());
    }
}
