//! The whole matrix: every role, and nobody, and the PIN, at every call of the contract, by gRPC and by gRPC-web.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ecmo_gateway::people::Role;
use ecmo_gateway::people::policy::{Needs, needs};
use ecmo_proto::DESCRIPTOR_SET;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::{Ward, with_token};
use crate::display::SOON;

/// The part of a descriptor set that names methods: files (1), their package (2) and services (6), names (1), methods (2).
#[derive(Clone, PartialEq, prost::Message)]
struct Set {
    #[prost(message, repeated, tag = "1")]
    files: Vec<ProtoFile>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProtoFile {
    #[prost(string, optional, tag = "2")]
    package: Option<String>,
    #[prost(message, repeated, tag = "6")]
    services: Vec<ProtoService>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProtoService {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, repeated, tag = "2")]
    methods: Vec<ProtoMethod>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProtoMethod {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
}

/// The path of every call of the contract.
fn paths() -> Vec<String> {
    let set = Set::decode(DESCRIPTOR_SET).unwrap();
    let of_file = |file: &ProtoFile| {
        let package = file.package.clone().unwrap();
        let services = file.services.clone().into_iter();
        services.flat_map(move |service| {
            let service_name = format!("/{package}.{}", service.name.unwrap());
            let methods = service.methods.into_iter();
            methods.map(move |method| format!("{service_name}/{}", method.name.unwrap()))
        })
    };
    set.files.iter().flat_map(of_file).collect()
}

/// What may change something, by name: whoever adds a call decides on purpose.
const CHANGES: [&str; 15] = [
    "AlarmService/AcknowledgeAlarm",
    "AlarmService/PauseAudio",
    "AlarmService/ResumeAudio",
    "AlarmService/ShelveAlarm",
    "AlarmService/UnshelveAlarm",
    "OwnershipService/AcceptPump",
    "OwnershipService/HandOverPump",
    "OwnershipService/RejectPump",
    "OwnershipService/AssignBed",
    "TreatmentService/StartTreatment",
    "TreatmentService/ChangeCase",
    "TreatmentService/SetLimit",
    "TreatmentService/PreviewLimit",
    "TreatmentService/StartContext",
    "TreatmentService/EndContext",
];

#[test]
fn every_call_of_the_contract_is_in_the_table() {
    let paths = paths();
    assert!(paths.len() >= 38, "the descriptors name {} calls only", paths.len());
    let missing: Vec<_> = paths.iter().filter(|path| needs(path).is_none()).collect();
    assert!(missing.is_empty(), "decide in policy.rs who may call {missing:?}");
    let closed: BTreeSet<_> = paths
        .iter()
        .filter(|path| needs(path) != Some(Needs::Display))
        .map(|path| path.trim_start_matches("/ecmo.v1."))
        .collect();
    assert_eq!(closed, CHANGES.into_iter().collect(), "what changes something needs a person");
}

/// Bytes as they are.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(out, &item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let len = bytes::Buf::remaining(bytes);
        Ok(Some(bytes::Buf::copy_to_bytes(bytes, len).to_vec()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// Asks with an empty message, by gRPC; the code of the answer.
async fn by_grpc(channel: &Channel, path: &str, token: Option<&str>) -> (Code, String) {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let call = client.server_streaming(with_token(Vec::new(), token), path.parse().unwrap(), Raw);
    match tokio::time::timeout(SOON, call).await.unwrap() {
        Err(status) => (status.code(), status.message().to_owned()),
        // A stream is open, or the answer of a single call comes: whoever is let in is let in.
        Ok(answer) => match tokio::time::timeout(SOON, answer.into_inner().message()).await {
            Ok(Err(status)) => (status.code(), status.message().to_owned()),
            Ok(Ok(_)) | Err(_) => (Code::Ok, String::new()),
        },
    }
}

/// The same as a browser asks, over HTTP/1.1.
async fn by_web(gateway: SocketAddr, path: &str, head: &str) -> (Code, String) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {gateway}\r\nx-grpc-web: 1\r\n{head}\
         content-type: application/grpc-web+proto\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0"
    );
    let mut stream = TcpStream::connect(gateway).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = tokio::time::timeout(SOON, stream.read(&mut part)).await.unwrap().unwrap();
        answer.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&answer);
        let of = |what: &str| {
            let at = text.find(what)? + what.len();
            text.get(at..)?.lines().next().map(|it| it.trim_matches([':', ' ', '\0']).to_owned())
        };
        if let Some(code) = of("grpc-status") {
            return (Code::from_bytes(code.as_bytes()), of("grpc-message").unwrap_or_default());
        }
        // A stream that is open has no status yet.
        let opened = text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() > 10);
        if read == 0 || opened {
            assert!(text.starts_with("HTTP/1.1 200"), "{path}: {text}");
            return (Code::Ok, String::new());
        }
    }
}

/// What must come of a call before the service itself is asked; `None`: it is asked.
fn expected(path: &str, role: Option<Role>, pin: bool) -> Option<Code> {
    match needs(path).unwrap() {
        Needs::Display => None,
        Needs::PersonOrPin(_) if pin => None,
        Needs::Person(_) if pin => Some(Code::PermissionDenied),
        Needs::Person(needed) | Needs::PersonOrPin(needed) => match role {
            None => Some(Code::Unauthenticated),
            Some(role) if role >= needed => None,
            Some(_) => Some(Code::PermissionDenied),
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_role_comes_through_at_every_call_exactly_as_the_table_says() {
    let ward = Ward::start().await;
    let gateway = ward.site.gateway.address();
    let mut holders = vec![(None, false, None)];
    for role in Role::ALL {
        holders.push((Some(role), false, Some(ward.sign_in(role).await)));
    }
    holders.push((None, true, Some(ward.by_pin("Ann").await.token)));
    let (mut refused, mut passed) = (0, 0);
    for path in paths() {
        // These two have an answer of their own to an empty message, beside the table.
        if path.ends_with("/SignIn") || path.ends_with("/SignOut") {
            continue;
        }
        for (role, pin, token) in &holders {
            let head = token
                .as_ref()
                .map_or_else(String::new, |it| format!("authorization: Bearer {it}\r\n"));
            let grpc = by_grpc(&ward.site.display.channel, &path, token.as_deref()).await;
            let web = by_web(gateway, &path, &head).await;
            let who = format!("{path} {role:?} {pin}: {grpc:?} {web:?}");
            for (code, message) in [grpc, web] {
                match expected(&path, *role, *pin) {
                    Some(expected) => {
                        assert_eq!(code, expected, "{who}");
                        assert!(
                            message.contains("sign") || message.contains("ask"),
                            "says what to do: {who}"
                        );
                        refused += 1;
                    }
                    None => {
                        let stopped = [Code::Unauthenticated, Code::PermissionDenied];
                        assert!(!stopped.contains(&code), "{who}");
                        passed += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 80 && passed > 200, "{refused} {passed}");
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_in_no_table_is_refused_to_an_admin_too() {
    let ward = Ward::start().await;
    let token = ward.sign_in(Role::Admin).await;
    for path in ["/ecmo.v1.PumpService/StopPump", "/ecmo.v2.AlarmService/ListAlarms", "/x.Y/Z"] {
        let (code, _) = by_grpc(&ward.site.display.channel, path, Some(&token)).await;
        assert_eq!(code, Code::Unimplemented, "{path}");
    }
    ward.site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pages_of_the_gateway_may_ask_for_what_changes_something() {
    let ward = Ward::start().await;
    let gateway = ward.site.gateway.address();
    let token = ward.sign_in(Role::Clinician).await;
    let path = "/ecmo.v1.AlarmService/AcknowledgeAlarm";
    let from = |origin: &str| format!("authorization: Bearer {token}\r\norigin: {origin}\r\n");
    for stranger in ["http://evil.example", "null", &format!("http://{gateway}.evil.example"), ""] {
        let (code, message) = by_web(gateway, path, &from(stranger)).await;
        assert!(
            code == Code::PermissionDenied && message.contains("page"),
            "{stranger}: {code:?} {message}"
        );
        let (code, _) = by_web(gateway, "/ecmo.v1.PeopleService/SignIn", &from(stranger)).await;
        assert_eq!(
            code,
            Code::PermissionDenied,
            "no page may guess passwords for another: {stranger}"
        );
    }
    let (code, message) = by_web(gateway, path, &from(&format!("http://{gateway}"))).await;
    assert_eq!(code, Code::NotFound, "its own page comes as far as the service: {message}");
    ward.site.gateway.stop().await;
}
