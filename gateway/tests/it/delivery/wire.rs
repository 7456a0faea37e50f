//! What any client finds on the port: reflection, health, gRPC-web over HTTP/1.1, readiness.
#![cfg(test)]

use std::collections::HashSet;

use ecmo_proto::v1;
use ecmo_testkit::EmbeddedBroker;
use futures_util::stream;
use prost::Message as _;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::site::{Site, ask};

/// What reflection must list.
const SERVICES: [&str; 5] = [
    "ecmo.v1.AlarmService",
    "ecmo.v1.LatencyService",
    "ecmo.v1.PumpService",
    "ecmo.v1.TreatmentService",
    "grpc.health.v1.Health",
];

/// Lists the services by one of the two protocols, which differ in nothing but their name.
macro_rules! services {
    ($site:expr, $version:ident) => {{
        use tonic_reflection::pb::$version as pb;
        let mut client = pb::server_reflection_client::ServerReflectionClient::new(
            $site.display.channel.clone(),
        );
        let request = pb::ServerReflectionRequest {
            host: String::new(),
            message_request: Some(pb::server_reflection_request::MessageRequest::ListServices(
                String::new(),
            )),
        };
        let answer = client.server_reflection_info(stream::iter([request])).await.unwrap();
        let answer = answer.into_inner().message().await.unwrap().unwrap();
        match answer.message_response.unwrap() {
            pb::server_reflection_response::MessageResponse::ListServicesResponse(list) => {
                list.service.into_iter().map(|it| it.name).collect::<HashSet<String>>()
            }
            other => panic!("{other:?}"),
        }
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_lists_the_services_in_both_of_its_versions() {
    let site = Site::start().await;
    for listed in [services!(site, v1), services!(site, v1alpha)] {
        for service in SERVICES {
            assert!(listed.contains(service), "{service} in {listed:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_for_every_service() {
    let site = Site::start().await;
    let mut client = HealthClient::new(site.display.channel.clone());
    for service in ["", SERVICES[0], SERVICES[1], SERVICES[2]] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
}

/// The body of an answer in chunks.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = std::str::from_utf8(&chunks[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 2 + length + 2..];
    }
}

/// The frames of gRPC: flag and content.
fn grpc_frames(mut body: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap();
        frames.push((*flag, &rest[..length]));
        body = &rest[length..];
    }
    frames
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_answered_by_grpc_web_over_http_1() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let head = "POST /ecmo.v1.PumpService/ListPumps HTTP/1.1\r\nhost: x\r\norigin: http://page.example\r\n\
                content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\ncontent-length: 5\r\n\
                connection: close\r\n\r\n";
    let request = [head.as_bytes(), &[0; 5]].concat();
    let answer = ask(site.gateway.address(), &request).await;
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..split].to_vec()).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/grpc-web+proto"), "{head}");
    // A page from elsewhere may not read it unless its origin is listed: see `page`.
    assert!(!head.contains("access-control-allow-origin"), "{head}");
    let body = &answer[split + 4..];
    let body =
        if head.contains("transfer-encoding: chunked") { joined(body) } else { body.to_vec() };
    let frames = grpc_frames(&body);
    let [(0, message), (0x80, trailer)] = frames[..] else { panic!("{head}\n{frames:?}") };
    let list = v1::ListPumpsResponse::decode(message).unwrap();
    assert_eq!(list.pumps[0].pump, "p1");
    let trailer = String::from_utf8(trailer.to_vec()).unwrap().replace(' ', "");
    assert!(trailer.contains("grpc-status:0\r\n"), "{trailer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_is_who_has_a_broker() {
    let port = ecmo_testkit::free_port().unwrap();
    let site = Site::at(([127, 0, 0, 1], port).into()).await;
    assert!(site.readiness().await.contains("503"));
    let mut broker = EmbeddedBroker::start(Some(port)).unwrap();
    site.await_ready().await;
    broker.kill().unwrap();
    ecmo_testkit::eventually(crate::display::SOON, "not ready", async || {
        site.readiness().await.contains("503").then_some(())
    })
    .await
    .unwrap();
}
