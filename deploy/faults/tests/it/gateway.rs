//! F14, F15, F18: a gateway without memory or without processor time, and a ward that starts cold.
#![cfg(test)]

use std::time::Duration;

use ecmo_faults::cgroup::Group;
use ecmo_faults::network::PATHS;
use ecmo_faults::{AgentSetup, WARD, Ward};
use ecmo_proto::v1;
use ecmo_proto::v1::treatment_service_client::TreatmentServiceClient;
use ecmo_testkit::eventually;
use tokio::time::{Instant, sleep};

use crate::site::{JOURNAL, PUMP, SETTLE, Site, display};

/// The promise for a ward that starts cold.
const COLD_MAX: Duration = Duration::from_secs(10);

/// More than the gateway needs at any time.
const ROOM_BYTES: u64 = 512 * 1024;

async fn treat(site: &Site) -> u64 {
    let mut treatments = TreatmentServiceClient::new(site.display.channel.clone());
    let start = v1::StartTreatmentRequest {
        ward: WARD.to_owned(),
        pump: PUMP.to_owned(),
        case: Some(v1::Case {
            pseudonym: "green".to_owned(),
            weight_kg: Some(3.0),
            therapy: v1::Therapy::VenoArterial.into(),
            ..v1::Case::default()
        }),
        by: "A. Doctor".to_owned(),
        version: site.pump().await.treatment_version,
    };
    treatments.start_treatment(start).await.unwrap().into_inner().treatment.unwrap().version
}

#[tokio::test]
#[ignore = "needs Mosquitto and root"]
async fn fault_f14_a_gateway_without_memory_leaves_the_alarm_to_the_bedside_and_keeps_its_state() {
    let ward = Ward::start(1).unwrap();
    let sounded = ward.folder().join("sounded");
    let mut setup = AgentSetup::simulated(PUMP, ward.broker_addresses());
    let note = format!("echo $ECMO_ALARM_STATE >> {}", sounded.display());
    let command = format!("[local_alarm]\ncommand = [\"/bin/sh\", \"-c\", \"{note}\"]\n");
    let fault = "faults = [{ kind = \"pump-stop\", at_s = 5 }]\n";
    setup.settings = format!("{command}{}{fault}", setup.settings);
    let mut site = Site::with(ward, &setup).await;
    let version = treat(&site).await;
    site.log.raised(PUMP, "pump.stop").await;
    let leased = |pump: &v1::Pump| {
        let local = pump.agent.as_ref().and_then(|agent| agent.local_alarm.as_ref());
        local.is_some_and(|local| local.leased && !local.sounding)
    };
    site.settles("the agent is leased and quiet", leased).await;
    let bedside = || std::fs::read_to_string(&sounded).unwrap_or_default();
    assert!(!bedside().contains("sounding"), "{}", bedside());

    // What it holds already counts for nobody here; what it takes from now on does.
    let group = Group::memory().unwrap();
    group.take(site.gateway.pid()).unwrap();
    group.limit_memory(group.memory_used().unwrap() + ROOM_BYTES).unwrap();
    let limited_at = Instant::now();
    let mut more = Vec::new();
    let ended = eventually(SETTLE, "the kernel kills the gateway", async || {
        // Each display costs it some memory.
        if let Ok(stream) = tokio::net::TcpStream::connect(site.ward.displays_at()).await {
            more.push(stream);
        }
        site.gateway.ended().unwrap()
    })
    .await
    .unwrap();
    println!("f14: {ended} after {:?} and {} displays", limited_at.elapsed(), more.len());
    assert!(!ended.success());
    let killed_at = Instant::now();
    eventually(SETTLE, "the bedside sounds", async || bedside().contains("sounding").then_some(()))
        .await
        .unwrap();
    println!("f14: the bedside sounds {:?} after", killed_at.elapsed());
    drop((group, more));
    let Site { ward, agent: _agent, .. } = site;
    let _gateway = ward.gateway(&ward.folder().join("gateway.toml")).unwrap();
    let shown = display(&ward).await;
    shown
        .await_pump(PUMP, "treated as before, and alarming", |pump| {
            pump.treatment_version == version
                && pump.alarms.iter().any(|it| it.condition == "pump.stop" && it.present)
        })
        .await;
}

#[tokio::test]
#[ignore = "needs Mosquitto and root"]
async fn fault_f15_a_gateway_without_processor_time_still_alarms_and_says_that_it_is_slow() {
    let ward = Ward::start(1).unwrap();
    let fault = "faults = [{ kind = \"air-bubble\", at_s = 14 }]\n";
    let simulated = AgentSetup::simulated(PUMP, ward.broker_addresses());
    let setup = AgentSetup { settings: format!("{}{fault}", simulated.settings), ..simulated };
    let begun = Instant::now();
    let site = Site::with(ward, &setup).await;
    let others: Vec<_> = ["pump-2", "pump-3", "pump-4"]
        .map(|pump| AgentSetup::simulated(pump, site.ward.broker_addresses()))
        .iter()
        .map(|setup| site.ward.agent(setup).unwrap())
        .collect();
    site.display.await_live("pump-4").await;
    // Waveforms for many displays need more than it is going to get; they are read as fast as they come.
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let display = display(&site.ward).await;
        for pump in [PUMP, "pump-2", "pump-3", "pump-4"] {
            let mut waves = display.waveforms(pump).await;
            reading.spawn(async move { while let Ok(Some(_)) = waves.message().await {} });
        }
    }
    let group = Group::processor(10).unwrap();
    group.take(site.gateway.pid()).unwrap();
    let (slow_at, _) = site
        .log
        .change("too slow", |alarm| alarm.condition == "gateway.overload" && alarm.present)
        .await;
    println!("f15: told that it is slow {:?} after the start", slow_at - begun);
    let (told_at, air) = site.log.raised(PUMP, "air.arterial").await;
    let took = air.latency.and_then(|it| it.received_to_decided_ns).map(Duration::from_nanos);
    println!(
        "f15: the alarm came {:?} after the agent's start; decided in {took:?}",
        told_at - begun
    );
    assert!(told_at - begun <= Duration::from_secs(14 + 5), "{:?}", told_at - begun);
    let throttled = group.throttled().unwrap();
    println!("f15: it had to wait in {throttled} periods of 100 ms");
    assert!(throttled > 0, "the quota was never used up: nothing was tried");
    let pump = site.pump().await;
    assert_eq!(pump.link(), v1::LinkState::Live, "{pump:#?}");
    drop((group, others));
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f18_a_ward_that_starts_cold_is_live_within_ten_seconds() {
    const ALL: [&str; 6] = ["pump-1", "pump-2", "pump-3", "pump-4", "pump-5", "pump-6"];
    let mut ward = Ward::start(PATHS).unwrap();
    let settings = ward.gateway_settings(&ward.broker_addresses(), JOURNAL).unwrap();
    for broker in &mut ward.brokers {
        broker.kill().unwrap();
    }
    // Power is back: everything at once, and the brokers last, so that everybody has to wait for them.
    let _gateway = ward.gateway(&settings).unwrap();
    let setups = ALL.map(|pump| AgentSetup::simulated(pump, ward.broker_addresses()));
    let _agents: Vec<_> = setups.iter().map(|setup| ward.agent(setup).unwrap()).collect();
    sleep(Duration::from_millis(500)).await;
    let up_at = Instant::now();
    for broker in &mut ward.brokers {
        broker.restart().unwrap();
    }
    let shown = display(&ward).await;
    eventually(SETTLE, "every pump is live", async || {
        let pumps = shown.list().await.pumps;
        let live = pumps.iter().filter(|it| it.link() == v1::LinkState::Live).count();
        if live == ALL.len() { Ok(()) } else { Err(format!("{live} are live")) }
    })
    .await
    .unwrap();
    println!("f18: all live {:?} after the brokers are up", up_at.elapsed());
    assert!(up_at.elapsed() <= COLD_MAX, "{:?}", up_at.elapsed());
    let alarms = shown.list_alarms().await;
    let about_patients =
        alarms.iter().filter(|alarm| alarm.kind() == v1::AlarmKind::Physiological).count();
    assert_eq!(about_patients, 0, "{alarms:#?}");
}
