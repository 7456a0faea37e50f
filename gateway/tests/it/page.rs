//! The nurse station as a browser asks for it, from a running gateway: what it gets, and what it can never get.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ecmo_gateway::Gateway;
use ecmo_gateway::config::{Settings, Ui};
use ecmo_testkit::eventually;
use tempfile::TempDir;

use crate::site::ask;

const DEADLINE: Duration = Duration::from_secs(15);

const SCRIPT: &str = "/assets/index-4f2a.js";

/// An answer over HTTP/1.1.
struct Answer {
    status: u16,
    head: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let head = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        Self { status: status.unwrap_or(0), head: head.collect(), body: body.to_owned() }
    }

    fn has(&self, name: &str) -> &str {
        self.head.get(name).map_or("", String::as_str)
    }
}

async fn request(address: SocketAddr, method: &str, path: &str, head: &str) -> Answer {
    let text = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}\r\n");
    Answer::new(&ask(address, text.as_bytes()).await)
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, "").await
}

fn build(dir: &Path, script: &str, name: &str) {
    fs::create_dir_all(dir.join("assets")).unwrap();
    let index = format!("<!doctype html><script type=\"module\" src=\"{script}\"></script>{name}");
    fs::write(dir.join(&script[1..]), format!("// {name}")).unwrap();
    fs::write(dir.join("assets/index-1.css"), "a{}").unwrap();
    fs::write(dir.join("favicon.svg"), "<svg/>").unwrap();
    fs::write(dir.join("build.json"), format!("{{\"build\":\"{name}\"}}")).unwrap();
    fs::write(dir.join("index.html"), index).unwrap();
}

fn page() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path(), SCRIPT, "first");
    dir
}

async fn gateway(ui: Ui) -> Gateway {
    Gateway::start(&Settings { ui, ..Settings::on_free_ports() }).await.unwrap()
}

async fn serving(dir: &Path) -> Gateway {
    gateway(Ui { dir: Some(dir.to_owned()), ..Ui::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_with_its_types_and_its_rules() {
    let dir = page();
    let gateway = serving(dir.path()).await;
    let at = gateway.address();
    for (path, kind, kept) in [
        ("/", "text/html; charset=utf-8", "no-store"),
        ("/index.html", "text/html; charset=utf-8", "no-store"),
        (SCRIPT, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/index-1.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
        ("/build.json", "application/json", "no-cache"),
    ] {
        let answer = get(at, path).await;
        assert_eq!((answer.status, answer.has("content-type")), (200, kind), "{path}");
        assert_eq!(answer.has("cache-control"), kept, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.has(name), value, "{path} {name}");
        }
        let policy = answer.has("content-security-policy");
        for rule in [
            "default-src 'self';",
            "script-src 'self';",
            "worker-src 'self';",
            "connect-src 'self';",
            "style-src 'self';",
            "font-src 'self';",
            "img-src 'self';",
            "frame-ancestors 'none';",
            "base-uri 'none';",
            "form-action 'none'",
        ] {
            assert!(policy.contains(rule), "{path} {rule} of {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{policy}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_has_a_file_gets_no_body_and_neither_does_head() {
    let dir = page();
    let gateway = serving(dir.path()).await;
    let at = gateway.address();
    let whole = get(at, "/favicon.svg").await;
    let tag = whole.has("etag").to_owned();
    assert!(tag.len() > 10, "{tag}");
    let known = format!("if-none-match: \"other\", W/{tag}\r\n");
    let known = request(at, "GET", "/favicon.svg", &known).await;
    assert_eq!((known.status, known.body.as_str(), known.has("etag")), (304, "", tag.as_str()));
    let other = request(at, "GET", "/favicon.svg", "if-none-match: \"other\"\r\n").await;
    assert_eq!((other.status, other.body.as_str()), (200, "<svg/>"));
    let head = request(at, "HEAD", "/favicon.svg", "").await;
    assert_eq!((head.status, head.body.as_str(), head.has("content-length")), (200, "", "6"));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_of_the_folder_can_be_asked_for() {
    let (dir, outside) = (page(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("key.pem"), "SECRET").unwrap();
    fs::write(dir.path().join(".env"), "SECRET").unwrap();
    let link = |from: &str| std::os::unix::fs::symlink(outside.path(), dir.path().join(from));
    link("out").unwrap();
    link("assets/out").unwrap();
    let gateway = serving(dir.path()).await;
    let at = gateway.address();
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    let above = |up: &str| format!("/{up}{name}/key.pem");
    let long = format!("/assets/{}", "a".repeat(8_000));
    let paths = [
        above("../"),
        above("%2e%2e/"),
        above("%2E%2E%2F"),
        above("..%2f"),
        above("..%5c"),
        above("..\\"),
        above("assets/../../"),
        above("assets/%2e%2e/%2e%2e/"),
        above("%252e%252e/"),
        above("/"),
        format!("/{}/key.pem", outside.path().display()),
        "/out/key.pem".into(),
        "/assets/out/key.pem".into(),
        "/.env".into(),
        "/%2eenv".into(),
        "/key.pem%00.js".into(),
        "/assets/%00".into(),
        "/assets".into(),
        "/assets/".into(),
        "/ui/".into(),
        "/ui/settings.json/".into(),
        long,
    ];
    for path in paths {
        let answer = get(at, &path).await;
        assert!(!answer.body.contains("SECRET"), "{path}");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("the nurse station is at /"), "{path}: {}", answer.body);
        assert_eq!(answer.has("content-type"), "text/plain; charset=utf-8");
    }
    for broken in ["/a\0b".to_owned(), format!("/{}", "a".repeat(20_000))] {
        let answer = get(at, &broken).await;
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(get(at, "/").await.status, 200);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_services_are_where_they_were() {
    let dir = page();
    fs::write(dir.path().join("healthz"), "forged").unwrap();
    fs::create_dir(dir.path().join("ui")).unwrap();
    fs::write(dir.path().join("ui/settings.json"), "forged").unwrap();
    let gateway = serving(dir.path()).await;
    let at = gateway.address();
    assert_eq!(get(at, "/healthz").await.body, "alive\n");
    assert_ne!(get(at, "/ui/settings.json").await.body, "forged");
    let call = "content-type: application/grpc-web+proto\r\ncontent-length: 5\r\n\r\n\0\0\0\0\0";
    let answer = request(at, "POST", "/ecmo.v1.PumpService/ListPumps", call).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("grpc-status:0"), "{}", answer.body);
    let answer = request(at, "POST", "/ecmo.v1.NoService/NoCall", call).await;
    assert_eq!(answer.has("grpc-status"), "12", "unimplemented, as gRPC says it");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_what_it_must_know_before_it_connects() {
    let dir = page();
    let gateways = ["http://10.0.0.2:8080", "http://[fd00::2]:8080"];
    let ui = Ui {
        dir: Some(dir.path().to_owned()),
        gateways: gateways.map(|it| it.parse().unwrap()).to_vec(),
        stale: Duration::from_secs(5),
        ..Ui::default()
    };
    let gateway = gateway(ui).await;
    let answer = get(gateway.address(), "/ui/settings.json").await;
    assert_eq!(answer.has("content-type"), "application/json");
    assert_eq!(answer.has("cache-control"), "no-store");
    let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(told["gateway"], "gateway");
    assert_eq!(told["gateways"], serde_json::json!(gateways));
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(told["contract"], contract());
    assert_eq!((&told["build"], &told["staleMs"]), (&"first".into(), &5_000.into()));
    let index = get(gateway.address(), "/").await;
    let connect = format!("connect-src 'self' {};", gateways.join(" "));
    let policy = index.has("content-security-policy");
    assert!(policy.contains(&connect), "{policy}");
    gateway.stop().await;
}

/// FNV-1a over the file that the build of the page reads.
fn contract() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/src/gen/descriptor.bin");
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for byte in fs::read(file).unwrap() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{sum:016x}")
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_gateways_and_origins_may_call_and_no_other() {
    let ui = Ui {
        gateways: vec!["http://b:8080".parse().unwrap()],
        origins: vec!["https://desk.example".parse().unwrap()],
        ..Ui::default()
    };
    let gateway = gateway(ui).await;
    let at = gateway.address();
    let asked = async |origin: &str| {
        let head = format!(
            "origin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: content-type,x-grpc-web\r\n"
        );
        request(at, "OPTIONS", "/ecmo.v1.AlarmService/Acknowledge", &head).await
    };
    for (method, path) in [("POST", "/ecmo.v1.PumpService/ListPumps"), ("GET", "/ui/settings.json")]
    {
        for (origin, allowed) in [("http://b:8080", "http://b:8080"), ("http://c", "")] {
            let head = format!("origin: {origin}\r\n");
            let answer = request(at, method, path, &head).await;
            assert_eq!(answer.has("access-control-allow-origin"), allowed, "{path}");
        }
    }
    for origin in ["http://b:8080", "https://desk.example"] {
        let answer = asked(origin).await;
        assert_eq!(answer.has("access-control-allow-origin"), origin);
        assert_eq!(answer.has("access-control-allow-headers"), "*,authorization");
    }
    for origin in
        ["http://c", "http://b", "https://b:8080", "http://b:80801", "http://desk.example", "null"]
    {
        let answer = asked(origin).await;
        assert_eq!(answer.has("access-control-allow-origin"), "", "{origin}");
    }
    let to_page = request(at, "GET", "/", "origin: http://b:8080\r\n").await;
    assert_eq!(to_page.has("access-control-allow-origin"), "", "the page is for its own gateway");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_page_the_gateway_says_how_to_get_one() {
    let gateway = gateway(Ui::default()).await;
    let at = gateway.address();
    let plain = get(at, "/").await;
    assert_eq!(plain.status, 200);
    assert!(plain.body.contains("--ui-dir") && plain.body.contains("Not a medical device"));
    assert!(plain.has("content-security-policy").contains("default-src 'none'"));
    let nothing = get(at, "/assets/a.js").await;
    assert_eq!(nothing.status, 404);
    assert!(nothing.body.contains("serves no nurse station"), "{}", nothing.body);
    let told = get(at, "/ui/settings.json").await.body;
    assert!(told.contains("\"build\":null") && told.contains("\"staleMs\":3000"), "{told}");
    gateway.stop().await;
}

/// The gateway looks at the folder each second. That it keeps a page can only be seen after it has looked again.
const TWO_LOOKS: Duration = Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_comes_vanishes_or_is_replaced_is_followed_and_hurts_nothing_else() {
    let above = tempfile::tempdir().unwrap();
    let dir = above.path().join("dist");
    let gateway = serving(&dir).await;
    let at = gateway.address();
    assert!(get(at, "/").await.body.contains("--ui-dir"), "there is no folder yet");
    let shows = async |name: &str| {
        eventually(DEADLINE, name, async || get(at, "/").await.body.contains(name).then_some(()))
            .await
            .unwrap();
        let told = get(at, "/ui/settings.json").await.body;
        assert!(told.contains(&format!("\"build\":\"{name}\"")), "{told}");
    };
    build(&dir, SCRIPT, "first");
    shows("first").await;

    fs::remove_dir_all(&dir).unwrap();
    tokio::time::sleep(TWO_LOOKS).await;
    shows("first").await;
    assert_eq!(get(at, "/healthz").await.body, "alive\n");

    // Half of a build is not taken: its script is missing.
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("index.html"), "<script src=\"/assets/b.js\"></script>half").unwrap();
    tokio::time::sleep(TWO_LOOKS).await;
    shows("first").await;

    build(&dir, "/assets/index-77.js", "second");
    shows("second").await;
    assert_eq!(get(at, SCRIPT).await.body, "// first", "an open page still finds its script");
    assert_eq!(get(at, "/assets/index-77.js").await.body, "// second");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_for_a_large_file_are_all_answered() {
    let dir = page();
    fs::write(dir.path().join("assets/large-1.js"), "a".repeat(4 << 20)).unwrap();
    let gateway = serving(dir.path()).await;
    let at = gateway.address();
    let asked = (0..60).map(|_| tokio::spawn(get(at, "/assets/large-1.js")));
    for answer in asked.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().body.len(), 4 << 20);
    }
    gateway.stop().await;
}
