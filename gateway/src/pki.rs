//! `ecmo-gateway pki`: an authority for trials, certificates by it, and what stands in a certificate.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use ecmo_gateway::clock::Clock;
use ecmo_identity::{Certificate, DAY_S, Identity, Kind, Remaining, date};
use ecmo_pki::{AUTHORITY_DAYS, DAYS_DEFAULT, Kept, Order};
use ecmo_proto::topic::{Id, PumpAddress};

/// What is wanted of the authority.
#[derive(Debug, Subcommand)]
pub(crate) enum PkiCommand {
    /// Makes an authority: ca.crt, which everybody gets, and ca.key, which signs and never leaves this folder.
    Authority {
        /// The folder; made when it is not there. Keep it off the machines of the ward.
        #[arg(long)]
        dir: PathBuf,
        /// Name of the site, for people.
        #[arg(long, default_value = "this site")]
        site: String,
        /// Days for which it holds.
        #[arg(long, default_value_t = AUTHORITY_DAYS)]
        days: u32,
    },
    /// Signs a certificate for the agent of a pump. One pump's name must be there once in the whole site.
    Agent {
        /// Its ward.
        ward: Id,
        /// Its pump.
        pump: Id,
        #[command(flatten)]
        how: How,
    },
    /// Signs a certificate for a broker.
    Broker(Service),
    /// Signs a certificate for a gateway, towards brokers and displays; its name is that under [gateway].
    Gateway(Service),
    /// Signs a certificate for a display that stands somewhere.
    Display(Service),
    /// Signs a certificate for a program that watches over the system.
    Monitor(Service),
    /// Prints whom a certificate is for, and how long it holds; ends with 1 when one has ended.
    Show {
        /// Certificates, PEM.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Anybody but an agent.
#[derive(Debug, Args)]
pub(crate) struct Service {
    /// Its name.
    name: Id,
    #[command(flatten)]
    how: How,
}

/// How a certificate is signed.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// Folder of the authority; certificate and key are put there as NAME.crt and NAME.key.
    #[arg(long)]
    dir: PathBuf,
    /// A name or address at which it is reached; several are possible. For brokers and gateways.
    #[arg(long)]
    host: Vec<String>,
    /// Days for which it holds, 1 to 825.
    #[arg(long, default_value_t = DAYS_DEFAULT)]
    days: u32,
}

/// Does it.
pub(crate) fn run(wanted: PkiCommand) -> anyhow::Result<ExitCode> {
    let service = |kind, service: Service| (Identity::service(kind, service.name), service.how);
    let (identity, how) = match wanted {
        PkiCommand::Authority { dir, site, days } => {
            made(&ecmo_pki::make_authority(&dir, &site, days, now())?)?;
            return Ok(ExitCode::SUCCESS);
        }
        PkiCommand::Show { files } => return show(&files),
        PkiCommand::Agent { ward, pump, how } => {
            (Identity::agent(&PumpAddress { ward, pump }), how)
        }
        PkiCommand::Broker(it) => service(Kind::Broker, it),
        PkiCommand::Gateway(it) => service(Kind::Gateway, it),
        PkiCommand::Display(it) => service(Kind::Display, it),
        PkiCommand::Monitor(it) => service(Kind::Monitor, it),
    };
    let reserved = [Some(&identity.name), identity.ward.as_ref()];
    if let Some(id) = reserved.into_iter().flatten().find(|id| id.is_reserved()) {
        bail!("\"{id}\" begins with '_', and such ids are kept for the system itself");
    }
    let order = Order::for_days(identity, how.host, how.days, now())?;
    made(&ecmo_pki::issue(&how.dir, &order)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The wall clock, which certificates go by.
fn now() -> SystemTime {
    let since_1970 = u64::try_from(Clock::start().wall_ns()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_nanos(since_1970)
}

fn made(kept: &Kept) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", described(&kept.pair.certificate, &kept.certificate))?;
    writeln!(out, "key: {}, for its owner alone", kept.pair.key.display())?;
    Ok(())
}

fn now_s() -> i64 {
    Clock::start().wall_ns() / 1_000_000_000
}

/// One certificate in words.
fn described(path: &Path, certificate: &Certificate) -> String {
    let name = certificate.common_name.as_deref().unwrap_or("nobody");
    let whom = match Identity::of(certificate) {
        Ok(Some(identity)) => identity.to_string(),
        Ok(None) if certificate.is_authority => "an authority".to_owned(),
        Ok(None) => {
            "no identity of ours: a broker goes by the name, a gateway lets no display in by it"
                .to_owned()
        }
        Err(error) => error.to_string(),
    };
    let mut text = format!("{}: {name} ({whom})", path.display());
    if !certificate.hosts.is_empty() {
        text += &format!(", reached at {}", certificate.hosts.join(", "));
    }
    let days = (certificate.not_after - now_s()).div_euclid(DAY_S);
    text + &format!(
        ", from {} to {} ({days} days left)",
        date(certificate.not_before),
        date(certificate.not_after)
    )
}

fn show(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    let mut out = std::io::stdout().lock();
    for path in files {
        let certificate = ecmo_identity::certificate(path).context("cannot show")?;
        writeln!(out, "{}", described(path, &certificate))?;
        let remaining = Remaining::of(certificate.not_after, now_s());
        if let Some(warning) = remaining.warning() {
            writeln!(out, "  {warning}")?;
        }
        if remaining == Remaining::Over {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
