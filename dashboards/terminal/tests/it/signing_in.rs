//! Signing in and out: the secret from standard input, the token in a file of its owner and with each call, and in no output.

use std::fs::{Permissions, metadata, read_to_string, set_permissions, write};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use ecmo_proto::v1::people_service_server::{PeopleService, PeopleServiceServer};
use ecmo_proto::v1::sign_in_request::Proof;
use ecmo_proto::v1::*;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A gateway that knows Ann; what came with each sign-out.
#[derive(Clone, Default)]
struct Door(Arc<Mutex<Vec<String>>>);

#[tonic::async_trait]
impl PeopleService for Door {
    async fn sign_in(
        &self,
        request: Request<SignInRequest>,
    ) -> Result<Response<SignInResponse>, Status> {
        let SignInRequest { name, proof } = request.into_inner();
        let identity = match proof.unwrap() {
            Proof::Password(secret) if secret == "correct horse" => {
                Identity { name, role: Role::Clinician.into(), left_s: 900, ..Identity::default() }
            }
            Proof::Pin(pin) if pin == "482915" => Identity {
                name: format!("{name} (break-glass)"),
                break_glass: true,
                left_s: 300,
                ..Identity::default()
            },
            Proof::Password(_) | Proof::Pin(_) => return Err(Status::unauthenticated("not right")),
        };
        Ok(Response::new(SignInResponse {
            token: "ecmo-secret".to_owned(),
            identity: Some(identity),
        }))
    }

    async fn sign_out(
        &self,
        request: Request<SignOutRequest>,
    ) -> Result<Response<SignOutResponse>, Status> {
        let token =
            request.metadata().get("authorization").map(|it| it.to_str().unwrap().to_owned());
        self.0.lock().unwrap().push(token.unwrap_or_default());
        Ok(Response::new(SignOutResponse {}))
    }

    async fn get_identity(
        &self,
        _request: Request<GetIdentityRequest>,
    ) -> Result<Response<GetIdentityResponse>, Status> {
        Err(Status::unimplemented("not asked here"))
    }
}

/// Starts it; its address.
async fn door() -> (Door, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let door = Door::default();
    let server =
        tonic::transport::Server::builder().add_service(PeopleServiceServer::new(door.clone()));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (door, url)
}

/// Runs a command with a file of tokens and a line of input; exit code and all that it said.
async fn run(url: &str, tokens: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecmoctl"));
    command.args(["--gateway", url, "--token-file"]).arg(tokens).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let running = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // A command that asks for nothing may be gone already.
        let _gone = child.stdin.take().unwrap().write_all(input.as_bytes()).is_err();
        child.wait_with_output().unwrap()
    });
    let output = tokio::time::timeout(std::time::Duration::from_secs(30), running).await;
    let output = output.expect("ended in time").unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_signs_in_has_a_token_that_nobody_else_reads_and_gives_it_back() {
    let (door, url) = door().await;
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    let (code, said) = run(&url, &tokens, &["login", "Ann"], "wrong\n").await;
    assert!(code == 5 && said.contains("not right"), "{code} {said}");
    let (code, said) = run(&url, &tokens, &["login", "Ann"], "correct horse\n").await;
    assert!(code == 0 && said.contains("Ann, clinician, for 15 min"), "{code} {said}");
    assert!(!said.contains("ecmo-secret"), "{said}");
    assert_eq!(metadata(&tokens).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(read_to_string(&tokens).unwrap(), format!("{url} ecmo-secret\n"));
    let (code, said) = run(&url, &tokens, &["login", "Ann", "--pin"], "482915\n").await;
    assert!(code == 0 && said.contains("(break-glass), break-glass, for 5 min"), "{code} {said}");
    let (code, said) = run(&url, &tokens, &["logout"], "").await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(*door.0.lock().unwrap(), ["Bearer ecmo-secret"]);
    assert_eq!(read_to_string(&tokens).unwrap(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_tokens_that_others_may_read_is_refused() {
    let (_door, url) = door().await;
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    write(&tokens, "a.b.c\n").unwrap();
    set_permissions(&tokens, Permissions::from_mode(0o644)).unwrap();
    let (code, said) = run(&url, &tokens, &["logout"], "").await;
    assert!(code == 64 && said.contains("chmod 600"), "{code} {said}");
}
