//! A gateway that does what a test tells it: the real services over a real socket, with scripted answers.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ecmo_proto::v1::alarm_service_server::{AlarmService, AlarmServiceServer};
use ecmo_proto::v1::display_service_server::DisplayServiceServer;
use ecmo_proto::v1::latency_service_server::{LatencyService, LatencyServiceServer};
use ecmo_proto::v1::ownership_service_server::OwnershipServiceServer;
use ecmo_proto::v1::pump_service_server::{PumpService, PumpServiceServer};
use ecmo_proto::v1::treatment_service_server::TreatmentServiceServer;
use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_proto::v1::*;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::Instant;
use tokio_stream::Stream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};

const SECOND_NS: u64 = 1_000_000_000;

/// The gateway's clock at the start of a test: far from zero, so that ages of an hour exist.
pub(crate) const START_NS: u64 = 10_000 * SECOND_NS;

pub(crate) use crate::fixtures::{ago_ms, alarm, block, pump, silent_pump};

/// What the gateway knows and how it behaves.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) pumps: Vec<Pump>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) hops: Vec<HopLatency>,
    /// How long ago the alarm thread finished a round, in milliseconds.
    pub(crate) alarm_round_ago_ms: u64,
    /// Streams bring nothing and calls are not answered, while the connection lives on.
    pub(crate) is_silent: bool,
    /// Cuts off the next alarm subscriptions after their snapshot, as too slow.
    pub(crate) cut_offs: u32,
    /// Leaves out one message of the next alarm subscription.
    pub(crate) loses_a_message: bool,
    /// Waveform subscriptions are refused: the pump was never seen.
    pub(crate) knows_no_waveforms: bool,
    pub(crate) alarm_subscriptions: u32,
    pub(crate) confirmed: Vec<ConfirmAlarmsRequest>,
    /// What people asked for, as it came.
    pub(crate) acts: Vec<String>,
    /// The treatment at every pump.
    pub(crate) treatment: Treatment,
    /// What somebody else made of the treatment just before the next change arrives.
    pub(crate) meanwhile: Option<Treatment>,
    /// Changes are answered with this.
    pub(crate) refusal: Option<Status>,
    /// What displays said of themselves, as it came.
    pub(crate) attended: Vec<AttendWardsRequest>,
    pub(crate) left: Vec<String>,
    /// Who looks after every pump.
    pub(crate) ownership: Ownership,
    pub(crate) displays: Vec<Display>,
    pub(crate) confirmations: Vec<AlarmConfirmations>,
    /// What came and went, told to a display that says until when it has seen everything.
    pub(crate) ended: Vec<Alarm>,
    /// Every alarm subscription ends, and every answer is an error, as if the gateway were killed.
    pub(crate) is_dead: bool,
    /// Heartbeats go on, and the pumps' times stand still.
    pub(crate) has_no_data: bool,
    /// Changes are carried out and never answered.
    pub(crate) swallows_answers: bool,
}

/// A running gateway.
#[derive(Clone)]
pub(crate) struct Gateway {
    script: Arc<Mutex<Script>>,
    started: Instant,
    pub(crate) url: String,
}

/// Answer of a stream.
pub(crate) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Gateway {
    /// Starts a gateway on a port of its own.
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let gateway = Self {
            script: Arc::new(Mutex::new(script)),
            started: Instant::now(),
            url: format!("http://{address}"),
        };
        let server = tonic::transport::Server::builder()
            .add_service(PumpServiceServer::new(gateway.clone()))
            .add_service(AlarmServiceServer::new(gateway.clone()))
            .add_service(TreatmentServiceServer::new(gateway.clone()))
            .add_service(LatencyServiceServer::new(gateway.clone()))
            .add_service(DisplayServiceServer::new(gateway.clone()))
            .add_service(OwnershipServiceServer::new(gateway.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        gateway
    }

    /// What the gateway knows, to be changed or looked at.
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Waits until the script says so.
    pub(crate) async fn until(&self, done: impl Fn(&Script) -> bool) {
        let waiting = async {
            while !done(&self.script()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("happened in time");
    }

    pub(crate) fn now(&self) -> u64 {
        START_NS + u64::try_from(self.started.elapsed().as_nanos()).unwrap()
    }

    fn alarm_round(&self) -> u64 {
        self.now() - self.script().alarm_round_ago_ms * 1_000_000
    }

    fn while_alive(&self) -> Result<(), Status> {
        let is_dead = self.script().is_dead;
        if is_dead { Err(Status::unavailable("killed")) } else { Ok(()) }
    }

    pub(crate) async fn while_silent(&self) {
        while self.script().is_silent {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Live pumps keep sending: their times move with the clock.
    fn pumps(&self) -> Vec<Pump> {
        let passed = if self.script().has_no_data { 0 } else { self.now() - START_NS };
        let mut pumps = self.script().pumps.clone();
        for pump in pumps.iter_mut().filter(|pump| pump.link == i32::from(LinkState::Live)) {
            pump.last_frame_mono_ns = pump.last_frame_mono_ns.map(|at| at + passed);
            for reading in pump.readings.iter_mut() {
                reading.sampled_mono_ns = reading.sampled_mono_ns.map(|at| at + passed);
            }
        }
        pumps
    }

    async fn send_pumps(self, out: Sender<Result<WatchPumpsResponse, Status>>) {
        for sequence in 0.. {
            self.while_silent().await;
            if self.script().is_dead {
                return;
            }
            let answer = WatchPumpsResponse {
                pumps: self.pumps(),
                now_mono_ns: self.now(),
                epoch: 1,
                sequence,
                alarm_thread_mono_ns: self.alarm_round(),
            };
            if out.send(Ok(answer)).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn send_alarms(self, out: Sender<Result<WatchAlarmsResponse, Status>>, returns: bool) {
        let mut known = self.script().alarms.clone();
        let mut sequence = 0;
        let ended = if returns { self.script().ended.clone() } else { Vec::new() };
        let mut next = Some(Update::Snapshot(AlarmSnapshot {
            alarms: known.clone(),
            ended,
            ..AlarmSnapshot::default()
        }));
        loop {
            self.while_silent().await;
            if self.script().is_dead {
                return;
            }
            let update = next.take().unwrap_or(Update::Heartbeat(Heartbeat { wall_ns: 1 }));
            let (now_mono_ns, update) = (self.now(), Some(update));
            let answer = WatchAlarmsResponse { sequence, epoch: 1, now_mono_ns, update };
            if out.send(Ok(answer)).await.is_err() {
                return;
            }
            sequence += 1;
            let cut_off = {
                let mut script = self.script();
                if std::mem::take(&mut script.loses_a_message) {
                    sequence += 1;
                }
                let cut_off = script.cut_offs > 0;
                script.cut_offs = script.cut_offs.saturating_sub(1);
                let new = script.alarms.iter().find(|alarm| !known.contains(alarm)).cloned();
                known.extend(new.clone());
                next = new.map(Update::Alarm);
                cut_off
            };
            if cut_off {
                let status = Status::resource_exhausted("subscribe again for a snapshot");
                // The display may have gone first.
                out.send(Err(status)).await.ok();
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn send_waveforms(self, out: Sender<Result<WatchWaveformsResponse, Status>>) {
        for sequence in 0.. {
            // Ten samples each 100 ms; the third message lost five samples before it, and four frames.
            let lost = if sequence >= 2 { 5 } else { 0 };
            let answer = WatchWaveformsResponse {
                blocks: vec![block(sequence * 10 + lost, &[1.0, 3.0])],
                frame_sequence: sequence,
                boot_id: 7,
                dropped: if sequence == 2 { 4 } else { 0 },
                now_mono_ns: self.now(),
                epoch: 1,
                sequence,
            };
            if out.send(Ok(answer)).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tonic::async_trait]
impl PumpService for Gateway {
    type WatchWardStream = std::pin::Pin<
        Box<dyn futures_util::Stream<Item = Result<WatchWardResponse, Status>> + Send>,
    >;

    async fn watch_ward(
        &self,
        _request: Request<WatchWardRequest>,
    ) -> Result<Response<Self::WatchWardStream>, Status> {
        Err(Status::unimplemented("no ward to watch here"))
    }

    async fn list_pumps(
        &self,
        request: Request<ListPumpsRequest>,
    ) -> Result<Response<ListPumpsResponse>, Status> {
        self.while_silent().await;
        let ward = request.into_inner().ward;
        let mut pumps = self.pumps();
        pumps.retain(|pump| ward.is_empty() || pump.ward == ward);
        Ok(Response::new(ListPumpsResponse {
            pumps,
            now_mono_ns: self.now(),
            epoch: 1,
            alarm_thread_mono_ns: self.alarm_round(),
        }))
    }

    type WatchPumpsStream = Answers<WatchPumpsResponse>;

    async fn watch_pumps(
        &self,
        _request: Request<WatchPumpsRequest>,
    ) -> Result<Response<Self::WatchPumpsStream>, Status> {
        self.while_alive()?;
        let (out, answers) = channel(4);
        tokio::spawn(self.clone().send_pumps(out));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    type WatchWaveformsStream = Answers<WatchWaveformsResponse>;

    async fn watch_waveforms(
        &self,
        request: Request<WatchWaveformsRequest>,
    ) -> Result<Response<Self::WatchWaveformsStream>, Status> {
        if self.script().knows_no_waveforms {
            let pump = request.into_inner().pump;
            return Err(Status::not_found(format!("pump {pump} was never seen: is its agent on?")));
        }
        let (out, answers) = channel(4);
        tokio::spawn(self.clone().send_waveforms(out));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

#[tonic::async_trait]
impl AlarmService for Gateway {
    async fn list_alarms(
        &self,
        _request: Request<ListAlarmsRequest>,
    ) -> Result<Response<ListAlarmsResponse>, Status> {
        self.while_silent().await;
        let alarms = self.script().alarms.clone();
        Ok(Response::new(ListAlarmsResponse { alarms, now_mono_ns: self.now(), epoch: 1 }))
    }

    type WatchAlarmsStream = Answers<WatchAlarmsResponse>;

    async fn watch_alarms(
        &self,
        request: Request<WatchAlarmsRequest>,
    ) -> Result<Response<Self::WatchAlarmsStream>, Status> {
        self.while_alive()?;
        self.script().alarm_subscriptions += 1;
        let (out, answers) = channel(4);
        let returns = request.into_inner().seen_until.is_some();
        tokio::spawn(self.clone().send_alarms(out, returns));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn confirm_alarms(
        &self,
        request: Request<ConfirmAlarmsRequest>,
    ) -> Result<Response<ConfirmAlarmsResponse>, Status> {
        self.while_silent().await;
        self.while_alive()?;
        self.script().confirmed.push(request.into_inner());
        Ok(Response::new(ConfirmAlarmsResponse {
            counts: true,
            known: 1,
            decided_to_confirmed_ns: Some(1_300_000),
        }))
    }

    async fn acknowledge_alarm(
        &self,
        request: Request<AcknowledgeAlarmRequest>,
    ) -> Result<Response<AcknowledgeAlarmResponse>, Status> {
        let request = request.into_inner();
        self.act(&request).await?;
        let mut alarm = self.alarm(&request.occurrence)?;
        if alarm.revision != request.revision {
            return Err(Status::failed_precondition("the alarm changed: look again"));
        }
        alarm.revision += 1;
        alarm.signal = SignalPresence::Acknowledged.into();
        alarm.acknowledged_by = request.by;
        alarm.acknowledged_note = request.note;
        let durable = self.script().treatment.durable;
        Ok(Response::new(AcknowledgeAlarmResponse { alarm: Some(alarm), durable }))
    }

    async fn pause_audio(
        &self,
        request: Request<PauseAudioRequest>,
    ) -> Result<Response<PauseAudioResponse>, Status> {
        self.act(&request.into_inner()).await?;
        Ok(Response::new(PauseAudioResponse {
            paused: 3,
            until_mono_ns: self.now(),
            durable: self.script().treatment.durable,
        }))
    }

    async fn resume_audio(
        &self,
        request: Request<ResumeAudioRequest>,
    ) -> Result<Response<ResumeAudioResponse>, Status> {
        self.act(&request.into_inner()).await?;
        Ok(Response::new(ResumeAudioResponse {
            resumed: 1,
            durable: self.script().treatment.durable,
        }))
    }

    async fn shelve_alarm(
        &self,
        request: Request<ShelveAlarmRequest>,
    ) -> Result<Response<ShelveAlarmResponse>, Status> {
        let request = request.into_inner();
        self.act(&request).await?;
        let mut alarm = self.alarm(&request.occurrence)?;
        alarm.audio = AudioState::Shelved.into();
        alarm.audio_by = request.by;
        Ok(Response::new(ShelveAlarmResponse {
            alarm: Some(alarm),
            durable: self.script().treatment.durable,
        }))
    }

    async fn unshelve_alarm(
        &self,
        request: Request<UnshelveAlarmRequest>,
    ) -> Result<Response<UnshelveAlarmResponse>, Status> {
        self.act(&request.into_inner()).await?;
        Ok(Response::new(UnshelveAlarmResponse { durable: self.script().treatment.durable }))
    }

    async fn get_alarm_report(
        &self,
        _request: Request<GetAlarmReportRequest>,
    ) -> Result<Response<GetAlarmReportResponse>, Status> {
        let raised =
            |priority: AlarmPriority, raised| PriorityCount { priority: priority.into(), raised };
        Ok(Response::new(GetAlarmReportResponse {
            covered_ns: 7_200 * SECOND_NS,
            raised: vec![raised(AlarmPriority::High, 1), raised(AlarmPriority::Low, 3)],
            per_hour: 2.0,
            ..GetAlarmReportResponse::default()
        }))
    }

    async fn list_missed_alarms(
        &self,
        _request: Request<ListMissedAlarmsRequest>,
    ) -> Result<Response<ListMissedAlarmsResponse>, Status> {
        Ok(Response::new(ListMissedAlarmsResponse::default()))
    }
}

#[tonic::async_trait]
impl LatencyService for Gateway {
    async fn get_latency(
        &self,
        _request: Request<GetLatencyRequest>,
    ) -> Result<Response<GetLatencyResponse>, Status> {
        self.while_silent().await;
        self.while_alive()?;
        let hops = self.script().hops.clone();
        Ok(Response::new(GetLatencyResponse { hops, discarded: 3 }))
    }
}
