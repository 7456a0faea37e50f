//! The whole path on one command: broker, simulated pumps, gateway, a display that confirms.

mod args;

mod list;

mod pace;

mod page;

mod report;

mod display;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use ecmo_agent::config::SourceSettings;
use ecmo_agent::sensor::simulated::case;
use ecmo_agent::{BrokerUrl, Fault, RunError, Summary};
use ecmo_core::case::Case;
use ecmo_gateway::Gateway;
use ecmo_gateway::config::{Broker, Keep, Settings};
use ecmo_proto::topic::{Id, PumpAddress};
use tokio::sync::watch;
use tokio::task::JoinSet;

use args::Arguments;
use display::Display;

/// The ward of the demo.
const WARD: &str = "nicu";

/// For how long and how much the demo keeps of what was measured, in bytes.
const HISTORY_AGE: Duration = Duration::from_hours(72);
const HISTORY_BYTES: u64 = 1 << 30;

/// How often the state of the unit is printed.
const STATE_PERIOD: Duration = Duration::from_secs(5);

/// Until then the gateway has nothing to compare with: medians over 10 s that end 1 s ago.
const REFERENCE_S: f64 = 12.0;

/// Exit code of arguments or addresses that cannot work.
const EXIT_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.is_list_wanted() {
        print!("{}", list::faults());
        return ExitCode::SUCCESS;
    }
    println!(
        "ECMO telemetry gateway: demo with simulated pumps. Research software, not a medical device."
    );
    if let Err(error) = arguments.check() {
        eprintln!("demo: {error}");
        return ExitCode::from(EXIT_SETTINGS);
    }
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_unset| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let run = || tokio::runtime::Runtime::new()?.block_on(run(&arguments));
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            let about_settings = error.downcast_ref::<ecmo_gateway::StartError>().is_some();
            if about_settings { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // 1. The gateway with its broker. It expects the pumps: one that does not come is an alarm.
    let mut settings = Settings::on_free_ports();
    settings.serve.bind = arguments.bind;
    // Whoever names another address wants others to see simulated pumps; the log says what that means.
    settings.serve.insecure = !arguments.bind.ip().is_loopback();
    settings.metrics_bind = arguments.metrics;
    settings.ui.dir = if arguments.no_page { None } else { page::prepare() };
    // What was measured can be looked up for as long as the demo runs.
    let past = tempfile::tempdir().context("no folder for the history")?;
    settings.disclosure =
        Some(Keep { dir: past.path().to_owned(), age_max: HISTORY_AGE, bytes_max: HISTORY_BYTES });
    debug_assert!(matches!(settings.broker, Broker::Embedded { .. }));
    let mut gateway = Gateway::start(&settings).await?;

    // 2. The pumps.
    let (stop, stopping) = watch::channel(false);
    let (mut agents, cases) = start_agents(arguments, &gateway, &stopping)?;
    introduce(arguments, &gateway, settings.ui.dir.is_some());

    // 3. A display, and what a ward would have entered.
    let mut display = Display::connect(format!("http://{}", gateway.address())).await?;
    for (pump, case) in &cases {
        display.enter(pump, case).await?;
    }
    let mut watching = tokio::spawn(display.clone().watch());

    // 4. Until the time is over, somebody wants it, or a part fails.
    let ended = tokio::select! {
        () = time_is_over(arguments.seconds) => Ok(()),
        signal = tokio::signal::ctrl_c() => signal.context("cannot listen for Ctrl-C"),
        failed = gateway.failed() => Err(anyhow::anyhow!("the {failed} of the gateway has ended")),
        watched = &mut watching => watched.context("the display panicked")?,
        ended = agents.join_next() => Err(anyhow::anyhow!("an agent has ended: {ended:?}")),
        error = tell_state(display.clone(), usize::from(arguments.pumps)) => Err(error),
    };

    // 5. The figures, before anything ends: an end would count as a dropout.
    let figures = async { anyhow::Ok((display.latency().await?, display.pumps().await?)) }.await;
    watching.abort();
    display.leave().await;
    if let Ok((latency, pumps)) = &figures {
        print!("{}", report::end(&display.raised(), latency, pumps));
    }
    stop.send_replace(true);
    while agents.join_next().await.is_some() {}
    gateway.stop().await;
    ended?;
    figures.map(|_printed| ())
}

type Agents = JoinSet<Result<Summary, RunError>>;

/// What is entered for each pump.
type Cases = Vec<(PumpAddress, Case)>;

fn start_agents(
    arguments: &Arguments,
    gateway: &Gateway,
    stopping: &watch::Receiver<bool>,
) -> anyhow::Result<(Agents, Cases)> {
    let broker: BrokerUrl = gateway.broker_address().to_string().parse()?;
    let (mut agents, mut cases) = (JoinSet::new(), Vec::new());
    for number in 1..=arguments.pumps {
        let address =
            PumpAddress { ward: Id::new(WARD)?, pump: Id::new(&format!("pump-{number:02}"))? };
        let seed = arguments.seed.wrapping_mul(1_000).wrapping_add(u64::from(number));
        let mut settings = ecmo_agent::Settings::simulated(address.clone(), broker.clone(), seed);
        for fault in arguments.faults().filter(|fault| fault.pump == number) {
            let at = Duration::from_secs_f64(fault.at_s);
            settings = settings
                .with_fault(Fault { kind: fault.kind, at, lasts: None })
                .with_pace(fault.kind.demonstration_pace());
        }
        cases.extend(settings.sources.iter().filter_map(|source| match source {
            SourceSettings::Simulated(circuit) => Some((address.clone(), case(circuit))),
            SourceSettings::Replay(_)
            | SourceSettings::Emtec(_)
            | SourceSettings::Cdi(_)
            | SourceSettings::Modbus(_)
            | SourceSettings::Leviflow(_)
            | SourceSettings::Line(_)
            | SourceSettings::Iio(_) => None,
        }));
        let mut stopping = stopping.clone();
        agents.spawn(ecmo_agent::run(settings, async move {
            // The sender lives until the demo ends; without it there is nothing left to run for.
            let _demo_gone = stopping.wait_for(|stopping| *stopping).await.is_err();
        }));
    }
    Ok((agents, cases))
}

/// Says what to open and what to type next.
fn introduce(arguments: &Arguments, gateway: &Gateway, has_page: bool) {
    let url = format!("http://{}", gateway.address());
    let gateway_option = if gateway.address().port() == 8080 && gateway.address().ip().is_loopback()
    {
        String::new()
    } else {
        format!(" --gateway {url}")
    };
    println!(
        "{} pumps publish to the embedded broker at {}.",
        arguments.pumps,
        gateway.broker_address()
    );
    if has_page {
        println!("\nThe nurse station: open {url}/ in a browser.\n");
        println!("Or watch the unit in another terminal:");
    } else {
        println!("Open {url}/ for health and help, or watch the unit in another terminal:");
    }
    println!("    cargo ecmoctl top{gateway_option}");
    println!("    cargo ecmoctl alarms{gateway_option}");
    println!("    cargo ecmoctl stream pump-01{gateway_option}");
    println!("Prometheus reads http://{}/metrics.", gateway.metrics_address());
    for fault in arguments.faults() {
        println!(
            "pump-{:02} will have {} after {} s: {}.",
            fault.pump,
            fault.kind,
            fault.at_s,
            fault.kind.description()
        );
        if fault.at_s < REFERENCE_S {
            println!(
                "    Rules that compare with what was before need {REFERENCE_S} s of data first."
            );
        }
    }
    if arguments.faults().next().is_none() {
        println!("To see an alarm: cargo demo --fault pump-stop@2:5");
    }
    println!("This display prints and makes no sound; the gateway knows that as display.silent.");
    println!("Alarm limits are UNREVIEWED starter values. Ctrl-C ends the demo.\n");
}

async fn time_is_over(seconds: Option<u32>) {
    match seconds {
        Some(seconds) => tokio::time::sleep(Duration::from_secs(u64::from(seconds))).await,
        None => std::future::pending().await,
    }
}

/// Prints the state of the unit from time to time; returns only when the gateway does not answer.
async fn tell_state(mut display: Display, expected: usize) -> anyhow::Error {
    let mut seconds = 0;
    loop {
        tokio::time::sleep(STATE_PERIOD).await;
        seconds += STATE_PERIOD.as_secs();
        match display.pumps().await {
            Ok(pumps) => println!("{}", report::state(seconds, &pumps, expected)),
            Err(error) => return error.context("the gateway does not answer"),
        }
    }
}
