//! Kill -9 at any point: no action that was confirmed is lost, and none that nobody asked for is there.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecmo_proto::v1;
use ecmo_testkit::EmbeddedBroker;
use tokio::task::JoinSet;

use super::{nicu, owners, verified};
use crate::display::Display;
use crate::killable::{Killable, settings};

/// Kills, each at another point.
const KILLS: u64 = 110;

/// Pumps at each of which one person acts.
const PUMPS: usize = 4;

/// Load before a kill is this long at most, in milliseconds.
const LOAD_MS: u64 = 40;

/// What one person has asked for and was told as done: numbers that go up.
#[derive(Debug, Default)]
struct Person {
    asked: AtomicU64,
    confirmed: AtomicU64,
}

/// Names the bed anew as fast as the gateway confirms it, until it is gone.
async fn go_on(display: Display, pump: String, person: Arc<Person>) {
    loop {
        let number = person.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let (bed, by) = (number.to_string(), "A. Nurse".to_owned());
        let request = v1::AssignBedRequest { ward: nicu(), pump: pump.clone(), bed, by };
        match owners(&display).assign_bed(request).await {
            Ok(answer) if answer.get_ref().durable => {
                person.confirmed.store(number, Ordering::SeqCst);
            }
            Ok(answer) => panic!("the disk is sound: {answer:?}"),
            Err(_gone) => return,
        }
    }
}

/// The number of the bed at a pump.
async fn bed(display: &Display, pump: &str) -> u64 {
    let pump = display.await_pump(pump, "known", |pump| pump.ownership.is_some()).await;
    let bed = pump.ownership.unwrap_or_default().bed;
    if bed.is_empty() { 0 } else { bed.parse().unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_kills_under_load_lose_no_confirmed_action_and_invent_none() {
    let seed = 0x5eed_0005;
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let broker = EmbeddedBroker::start(None).unwrap();
    let path = settings(folder.path(), broker.addr());
    let pumps: Vec<String> = (1..=PUMPS).map(|number| format!("p{number}")).collect();
    let mut text = std::fs::read_to_string(&path).unwrap();
    for pump in &pumps {
        text.push_str(&format!("[[pump]]\nward = \"nicu\"\npump = \"{pump}\"\n"));
    }
    std::fs::write(&path, text).unwrap();
    let people: Vec<Arc<Person>> = pumps.iter().map(|_| Arc::default()).collect();
    let mut records = 0;
    for kill in 0..=KILLS {
        let gateway = Killable::start(&path).await;
        for (pump, person) in pumps.iter().zip(&people) {
            let (confirmed, asked) =
                (person.confirmed.load(Ordering::SeqCst), person.asked.load(Ordering::SeqCst));
            let bed = bed(&gateway.display, pump).await;
            assert!(
                bed >= confirmed,
                "seed {seed:#x}, kill {kill}: {bed} of {confirmed} confirmed"
            );
            assert!(bed <= asked, "seed {seed:#x}, kill {kill}: {bed} of {asked} asked");
        }
        let mut acting = JoinSet::new();
        for (pump, person) in pumps.iter().zip(&people) {
            acting.spawn(go_on(gateway.display.clone(), pump.clone(), Arc::clone(person)));
        }
        // The point of the kill is a part of the test: it must not wait for anything.
        tokio::time::sleep(Duration::from_millis(random.u64(..=LOAD_MS))).await;
        gateway.kill().await;
        acting.join_all().await;
        let now = verified(folder.path());
        assert!(now > records, "each start writes at least its own");
        records = now;
    }
    let confirmed: u64 = people.iter().map(|it| it.confirmed.load(Ordering::SeqCst)).sum();
    assert!(confirmed > KILLS, "there was load: {confirmed}");
}
