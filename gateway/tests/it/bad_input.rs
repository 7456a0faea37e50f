//! What no agent should send: each is counted with its reason, shown as stated, and never touches another pump.
#![cfg(test)]

mod agents;

mod births;

mod frames;

mod samples;

use ecmo_core::damage::DAMAGED_FRAMES;
use ecmo_proto::v1;

use crate::display::shows;
use crate::hand::HandAgent;
use crate::site::Site;

/// A gateway with a pump that gets the bad input, and a healthy one that must not notice.
struct Scene {
    site: Site,
    patient: HandAgent,
    witness: HandAgent,
}

/// The pump that gets the bad input.
const PATIENT: &str = "p1";

/// The pump that must not notice.
const WITNESS: &str = "p2";

impl Scene {
    /// Both pumps live.
    async fn start() -> Self {
        Self::on(Site::start().await).await
    }

    async fn on(site: Site) -> Self {
        let (patient, witness) = tokio::join!(site.agent(PATIENT), site.agent(WITNESS));
        Self { site, patient, witness }
    }

    /// Waits until the other pump has gone on for a while, and makes sure that nothing of it was lost or refused.
    async fn witness_is_unharmed(&self) {
        witness_is_unharmed(&self.site).await;
        assert!(self.witness.boot() > 0, "it runs until here");
    }

    /// Waits until the patient has gone on, with healthy values and no alarm.
    async fn patient_goes_on(&self) -> v1::Pump {
        self.patient_goes_on_after(0).await
    }

    /// As [`Scene::patient_goes_on`], after so many damaged messages: of three it may be told, and of nothing else.
    async fn patient_goes_on_after(&self, damaged: usize) -> v1::Pump {
        let before = self.site.display.pump(PATIENT).await.unwrap();
        let sampled = |pump: &v1::Pump| pump.readings[0].sampled_mono_ns;
        let pump = self
            .site
            .display
            .await_pump(PATIENT, "going on", |pump| {
                pump.link() == v1::LinkState::Live
                    && sampled(pump) > sampled(&before)
                    && shows(pump, "flow.blood", 400.0)
            })
            .await;
        let told: &[&str] = if damaged < DAMAGED_FRAMES { &[] } else { &["comm.damaged"] };
        let other = |alarm: &&v1::Alarm| !told.contains(&alarm.condition.as_str());
        assert_eq!(pump.alarms.iter().find(other), None, "{pump:#?}");
        pump
    }
}

async fn witness_is_unharmed(site: &Site) {
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let before = received(&site.display.await_live(WITNESS).await);
    let pump = site
        .display
        .await_pump(WITNESS, "ten more frames", |pump| {
            received(pump) >= before + 10 && pump.link() == v1::LinkState::Live
        })
        .await;
    let counters = pump.counters.unwrap();
    let wrong = (counters.frames_missing, counters.frames_rejected, counters.samples_invalid);
    assert_eq!(wrong, (0, 0, 0), "{counters:?}");
    assert!(shows(&pump, "flow.blood", 400.0), "{pump:#?}");
    assert!(site.readiness().await.contains("200"));
}

/// Sends each of these as a frame of the patient; each must be refused for that reason, and nothing else happens.
async fn each_is_refused(reason: &str, make: impl Fn(&HandAgent) -> Vec<Vec<u8>>) {
    let scene = Scene::start().await;
    let bad = make(&scene.patient);
    let damaged = if ["boot", "historical"].contains(&reason) { 0 } else { bad.len() };
    for (count, bytes) in (1..).zip(bad) {
        scene.patient.send_bytes(bytes).await;
        scene.site.await_refused(PATIENT, reason, count).await;
    }
    scene.patient_goes_on_after(damaged).await;
    scene.witness_is_unharmed().await;
}
