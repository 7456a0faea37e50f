//! Displays for the gateway: leases, health, and who has shown what.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecmo_core::attendance::{AttendWord, AudioOutput, DisplayState, Health, LEASE};
use ecmo_core::time::Instant;
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use ecmo_proto::v1::display_service_server::DisplayService;
use tonic::{Request, Response, Status};

use super::people::{name, no_answer};
use super::{Serving, convert, ward};
use crate::config::WARDS_MAX;
use crate::engine::{AlarmConfirmations, DisplayView};

/// The display service.
#[derive(Debug)]
pub(super) struct Displays {
    serving: Serving,
}

impl Displays {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }
}

/// The wards that a display names, each once; none means all.
fn wards(named: &[String]) -> Result<Vec<Arc<str>>, Status> {
    if named.len() > WARDS_MAX {
        return Err(Status::invalid_argument(format!(
            "wards: at most {WARDS_MAX} can be named; name none to attend all"
        )));
    }
    let checked = named.iter().map(|text| {
        let wrong = |error| Status::invalid_argument(format!("wards: {error}"));
        Id::new(text).map(|ward| Arc::from(ward.as_str())).map_err(wrong)
    });
    let wards: BTreeSet<Arc<str>> = checked.collect::<Result<_, _>>()?;
    Ok(wards.into_iter().collect())
}

/// What a display says of itself; what it does not say is taken for the worse.
fn health(said: Option<v1::DisplayHealth>, epoch: u64) -> Health {
    let said = said.unwrap_or_default();
    let audio = match said.audio() {
        v1::AudioOutput::On => AudioOutput::On,
        v1::AudioOutput::Blocked => AudioOutput::Blocked,
        v1::AudioOutput::None | v1::AudioOutput::Unspecified => AudioOutput::None,
    };
    // What it painted of another start of the gateway, or before its first message, is nothing of this one.
    let painted = said.painted_epoch == epoch && said.painted_mono_ns > 0;
    Health {
        painted: painted.then(|| Instant::from_nanos(said.painted_mono_ns)),
        frames_per_second: said.frames_per_second,
        lag_ms: said.lag_ms,
        audio,
        visible: said.visible,
    }
}

const fn state(state: DisplayState) -> v1::DisplayState {
    match state {
        DisplayState::Attends => v1::DisplayState::Attends,
        DisplayState::NotPainting => v1::DisplayState::NotPainting,
        DisplayState::Lost => v1::DisplayState::Lost,
    }
}

fn display(view: DisplayView, epoch: u64) -> v1::Display {
    let Health { painted, frames_per_second, lag_ms, audio, visible } = view.health;
    let audio = match audio {
        AudioOutput::On => v1::AudioOutput::On,
        AudioOutput::Blocked => v1::AudioOutput::Blocked,
        AudioOutput::None => v1::AudioOutput::None,
    };
    v1::Display {
        name: view.name.to_string(),
        wards: view.wards.iter().map(ToString::to_string).collect(),
        state: state(view.state).into(),
        health: Some(v1::DisplayHealth {
            painted_mono_ns: painted.map_or(0, Instant::as_nanos),
            painted_epoch: painted.map_or(0, |_| epoch),
            frames_per_second,
            lag_ms,
            audio: audio.into(),
            visible,
        }),
        lease_until_mono_ns: view.lease_until.as_nanos(),
        unconfirmed: view.unconfirmed,
    }
}

fn confirmations(of: AlarmConfirmations) -> v1::AlarmConfirmations {
    let by = of.confirmations.into_iter().map(|(display, revision, took)| v1::Confirmation {
        display: display.to_string(),
        revision,
        took_ns: took.map(convert::nanos),
    });
    v1::AlarmConfirmations {
        occurrence: of.occurrence,
        revision: of.revision,
        covers_from: of.covers_from,
        confirmations: by.collect(),
        missing: of.missing.iter().map(ToString::to_string).collect(),
    }
}

#[tonic::async_trait]
impl DisplayService for Displays {
    async fn attend_wards(
        &self,
        request: Request<v1::AttendWardsRequest>,
    ) -> Result<Response<v1::AttendWardsResponse>, Status> {
        let request = request.into_inner();
        let word = AttendWord {
            display: name(&request.display, "display")?.into(),
            wards: wards(&request.wards)?,
            health: health(request.health, self.serving.epoch),
        };
        let attends = self.serving.engine.attend(word).await.map_err(no_answer)?;
        let attends = attends.map_err(|_too_many| {
            Status::resource_exhausted(
                "the gateway knows its most displays; close one, or raise displays_max under [serve]",
            )
        })?;
        Ok(Response::new(v1::AttendWardsResponse {
            lease_ms: u32::try_from(LEASE.as_millis()).unwrap_or(u32::MAX),
            now_mono_ns: self.serving.clock.now().as_nanos(),
            epoch: self.serving.epoch,
            state: state(attends).into(),
        }))
    }

    async fn leave_wards(
        &self,
        request: Request<v1::LeaveWardsRequest>,
    ) -> Result<Response<v1::LeaveWardsResponse>, Status> {
        let display = name(&request.get_ref().display, "display")?;
        self.serving.engine.leave(display).await.map_err(no_answer)?;
        Ok(Response::new(v1::LeaveWardsResponse {}))
    }

    async fn list_displays(
        &self,
        request: Request<v1::ListDisplaysRequest>,
    ) -> Result<Response<v1::ListDisplaysResponse>, Status> {
        let ward = ward(&request.get_ref().ward)?;
        let views = self.serving.engine.displays(ward).await.map_err(no_answer)?;
        let epoch = self.serving.epoch;
        Ok(Response::new(v1::ListDisplaysResponse {
            displays: views.into_iter().map(|view| display(view, epoch)).collect(),
            now_mono_ns: self.serving.clock.now().as_nanos(),
        }))
    }

    async fn list_confirmations(
        &self,
        request: Request<v1::ListConfirmationsRequest>,
    ) -> Result<Response<v1::ListConfirmationsResponse>, Status> {
        let ward = ward(&request.get_ref().ward)?;
        let alarms = self.serving.engine.confirmations(ward).await.map_err(no_answer)?;
        let alarms = alarms.into_iter().map(confirmations).collect();
        Ok(Response::new(v1::ListConfirmationsResponse { alarms }))
    }
}
