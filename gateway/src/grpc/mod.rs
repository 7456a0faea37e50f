//! gRPC and gRPC-web for displays, with health and reflection. The only place that knows tonic.

mod convert;

mod wire;

mod alarm_lane;

mod pump_lane;

mod wave_lane;

mod ward_lane;

mod lanes;

mod alarms;

mod displays;

mod guard;

mod history;

mod latency;

mod ownership;

mod people;

mod pumps;

mod sign_in;

mod treatment;

mod treatments;

pub use alarm_lane::write_item;
pub use history::write_alarm;

use std::sync::Arc;

use axum::Router;
use ecmo_proto::DESCRIPTOR_SET;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1::alarm_service_server::AlarmServiceServer;
use ecmo_proto::v1::display_service_server::DisplayServiceServer;
use ecmo_proto::v1::history_service_server::HistoryServiceServer;
use ecmo_proto::v1::latency_service_server::LatencyServiceServer;
use ecmo_proto::v1::ownership_service_server::OwnershipServiceServer;
use ecmo_proto::v1::people_service_server::PeopleServiceServer;
use ecmo_proto::v1::pump_service_server::PumpServiceServer;
use ecmo_proto::v1::treatment_service_server::TreatmentServiceServer;
use tonic::Status;
use tonic::service::Routes;

use self::lanes::Lanes;
use crate::actions::Actions;
use crate::clock::Clock;
use crate::config::Ui;
use crate::desk::Desk;
use crate::disclosure::Disclosed;
use crate::engine::EngineHandle;
use crate::journal::Missed;
use crate::latency::Latencies;
use crate::metrics::Metrics;
use crate::people::Door;
use crate::registry::Registry;
use crate::ui;
use guard::Guard;

/// Longest request: a display confirms at most a few hundred alarms at once.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// What the services read.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The clock.
    pub clock: Clock,
    /// Changes with each start.
    pub epoch: u64,
    /// The pumps.
    pub registry: Arc<Registry>,
    /// The way to the alarm thread.
    pub engine: EngineHandle,
    /// What people do.
    pub actions: Arc<Actions>,
    /// Where people change treatments.
    pub desk: Arc<Desk>,
    /// Histograms of the hops.
    pub latencies: Arc<Latencies>,
    /// Handles of all series.
    pub metrics: Arc<Metrics>,
    /// What was missed while frames did not arrive; `None` where nothing is recorded.
    pub missed: Option<Arc<Missed>>,
    /// What was kept; `None` where nothing is.
    pub disclosed: Option<Disclosed>,
    /// Where people sign in; `None` where nobody is asked who he is.
    pub door: Option<Arc<Door>>,
}

/// Why the services cannot be offered.
#[derive(Debug, thiserror::Error)]
#[error("cannot offer reflection: the generated descriptors are broken; generate them anew")]
pub struct ServeError {
    #[from]
    source: tonic_reflection::server::Error,
}

/// Every service on one router: gRPC over HTTP/2, gRPC-web over HTTP/1.1 and HTTP/2. Of pages, this gateway's own and those that
/// are listed may call.
///
/// # Errors
/// The descriptor set that was built in cannot be read.
pub async fn router(serving: Serving, pages: &Ui) -> Result<Router, ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<PumpServiceServer<pumps::Pumps>>().await;
    health.set_serving::<AlarmServiceServer<alarms::Alarms>>().await;
    health.set_serving::<DisplayServiceServer<displays::Displays>>().await;
    health.set_serving::<HistoryServiceServer<history::Histories>>().await;
    health.set_serving::<LatencyServiceServer<latency::Latency>>().await;
    health.set_serving::<TreatmentServiceServer<treatments::Treatments>>().await;
    health.set_serving::<OwnershipServiceServer<ownership::Owners>>().await;
    health.set_serving::<PeopleServiceServer<sign_in::Entrance>>().await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let pumps = PumpServiceServer::new(pumps::Pumps::new(serving.clone()));
    let alarms = AlarmServiceServer::new(alarms::Alarms::new(serving.clone()));
    let displays = DisplayServiceServer::new(displays::Displays::new(serving.clone()));
    let treatments = TreatmentServiceServer::new(treatments::Treatments::new(serving.clone()));
    let owners = OwnershipServiceServer::new(ownership::Owners::new(serving.clone()));
    let latency = LatencyServiceServer::new(latency::Latency::new(serving.clone()));
    let people = PeopleServiceServer::new(sign_in::Entrance::new(serving.clone()));
    let guard = Guard::new(&serving, pages);
    let history = HistoryServiceServer::new(history::Histories::new(serving.disclosed.clone()));
    let pumps = pumps.max_decoding_message_size(REQUEST_BYTES_MAX);
    let alarms = alarms.max_decoding_message_size(REQUEST_BYTES_MAX);
    let routes = Routes::new(Lanes::new(serving.clone(), pumps))
        .add_service(Lanes::new(serving, alarms))
        .add_service(displays.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(treatments.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(owners.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(history.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(latency.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(people.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(health_service)
        // Clients of the older reflection protocol are common; one without the other is a riddle to them.
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    let guarded = guard::before(routes.into_axum_router(), guard);
    let web = guarded.layer(tonic_web::GrpcWebLayer::new());
    Ok(web.layer(ui::cors(pages)))
}

/// A ward from a request; empty means all.
fn ward(text: &str) -> Result<Option<Id>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    Id::new(text).map(Some).map_err(|error| Status::invalid_argument(format!("ward: {error}")))
}

/// A pump from a request.
fn address(ward: &str, pump: &str) -> Result<PumpAddress, Status> {
    let id = |text: &str, what: &str| {
        Id::new(text).map_err(|error| Status::invalid_argument(format!("{what}: {error}")))
    };
    Ok(PumpAddress { ward: id(ward, "ward")?, pump: id(pump, "pump")? })
}

fn never_seen(address: &PumpAddress) -> Status {
    Status::not_found(format!("no pump {address} was ever seen; list the pumps for their names"))
}

/// Counts an open stream for as long as it lives.
#[derive(Debug)]
struct OpenStream(metrics::Gauge);

impl OpenStream {
    fn new(gauge: &metrics::Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge.clone())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
