//! The settings file as it is written: one type for each kind of value, so that a refusal carries its line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ecmo_proto::topic::{Id, PumpAddress};
use serde::Deserialize;
use toml::Spanned;

use super::among::{DrillTable, GatewayTable, PeerTable, id};
use super::error::Complaint;
use super::kept::{HistoryTable, JournalTable, disclosure, journal};
use super::people::{PeopleTable, people};
use super::secured::{
    ServeTlsTable, TlsTable, go_together, serves_safely, towards_brokers, towards_displays,
};
use super::ui::UiTable;
use super::{Alarms, Broker, BrokerAddress, ConfigError, PUMPS_MAX, Serve, Settings, WARDS_MAX};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct File {
    wards: Option<Spanned<Vec<Spanned<String>>>>,
    gateway: GatewayTable,
    peer: PeerTable,
    drill: DrillTable,
    broker: BrokerTable,
    tls: Option<Spanned<TlsTable>>,
    serve: ServeTable,
    metrics: MetricsTable,
    alarms: AlarmsTable,
    state: StateTable,
    history: HistoryTable,
    journal: JournalTable,
    ui: UiTable,
    people: Option<Spanned<PeopleTable>>,
    pump: Vec<Spanned<PumpTable>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct BrokerTable {
    url: Option<Spanned<Url>>,
    second_url: Option<Spanned<Url>>,
    bind: Option<Spanned<Bind>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ServeTable {
    bind: Option<Spanned<Bind>>,
    displays_max: Option<Displays>,
    tls: Option<Spanned<ServeTlsTable>>,
    insecure: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct MetricsTable {
    bind: Option<Spanned<Bind>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AlarmsTable {
    profile: Option<Spanned<FilePath>>,
    silence_ms: Option<Silence>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct StateTable {
    dir: Option<FilePath>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PumpTable {
    ward: Id_,
    pump: Id_,
}

/// A ward or pump id.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Id_(Id);

impl TryFrom<String> for Id_ {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        id(&text).map(Self).map_err(|(what, todo)| format!("{what}; {todo}"))
    }
}

/// A path, from the folder of the settings file.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FilePath(PathBuf);

impl TryFrom<String> for FilePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("an empty path; write a path, from the folder of this file".into());
        }
        Ok(Self(text.into()))
    }
}

impl FilePath {
    pub(super) fn in_folder_of(&self, file: &str) -> PathBuf {
        Path::new(file).parent().map_or_else(|| self.0.clone(), |folder| folder.join(&self.0))
    }
}

/// An address to listen on.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Bind(SocketAddr);

impl TryFrom<String> for Bind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_no_address| {
            format!("{text:?} is no address to listen on; write IP:PORT, such as 127.0.0.1:8080 (port 0: any)")
        })
    }
}

/// Where the broker is.
#[derive(Deserialize)]
#[serde(try_from = "String")]
#[derive(PartialEq, Eq)]
enum Url {
    Embedded,
    Mqtt(BrokerAddress),
}

/// MQTT's own port, and the one with TLS.
const MQTT_PORT: &str = "1883";
const MQTTS_PORT: &str = "8883";

impl TryFrom<String> for Url {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        let wrong = || {
            format!(
                "{text:?} is no broker; write \"embedded\", \"mqtt://HOST:PORT\" or \"mqtts://HOST:PORT\""
            )
        };
        let secured = text.strip_prefix("mqtts://");
        let rest = secured.or_else(|| text.strip_prefix("mqtt://")).ok_or_else(wrong)?;
        let tls = secured.is_some();
        if rest.contains('@') {
            return Err(
                "a broker with user and password is not supported yet; remove them from the url"
                    .into(),
            );
        }
        // An IPv6 address holds colons itself: the port is what follows the bracket.
        let split_at = rest.find(']').map_or(0, |bracket| bracket + 1);
        let (bracketed, tail) = rest.split_at_checked(split_at).ok_or_else(wrong)?;
        if tls && !bracketed.is_empty() {
            return Err(format!(
                "TLS goes by names, and {bracketed} is an IPv6 address; write a name, or an IPv4 address"
            ));
        }
        let own_port = if tls { MQTTS_PORT } else { MQTT_PORT };
        let (name, port) = tail.split_once(':').unwrap_or((tail, own_port));
        let host = format!("{bracketed}{name}");
        let port: u16 = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let host_is_possible = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte))
            && host.starts_with('[') == host.ends_with(']')
            && !name.contains([':', '[', ']']);
        if !host_is_possible {
            return Err(wrong());
        }
        Ok(Self::Mqtt(BrokerAddress { host, port, tls }))
    }
}

/// Declares a number with its range.
macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $raw:ty as $raw_name:literal, $holds:ty, $what:literal, $range:expr, $make:expr) => {
        $(#[$doc])*
        #[derive(Deserialize)]
        #[serde(try_from = $raw_name)]
        pub(super) struct $name(pub(super) $holds);

        impl TryFrom<$raw> for $name {
            type Error = String;

            fn try_from(number: $raw) -> Result<Self, String> {
                let range = $range;
                if range.contains(&number) {
                    let make: fn($raw) -> $holds = $make;
                    return Ok(Self(make(number)));
                }
                Err(format!(
                    "{number} is impossible for {}; choose {} to {}",
                    $what,
                    range.start(),
                    range.end()
                ))
            }
        }
    };
}

pub(super) use ranged;

ranged!(
    /// Below 200 ms a healthy Wi-Fi path alarms; above 10 s nobody would call it watched.
    Silence, u64 as "u64", Duration, "silence_ms", 200..=10_000, Duration::from_millis
);
ranged!(
    /// Each display costs a stream and a mailbox.
    Displays, u16 as "u16", usize, "displays_max", 1..=512, usize::from
);
/// Reads and checks the text, and the profile that it names.
pub(super) fn parse(file: &str, text: &str) -> Result<Settings, ConfigError> {
    let complain = |complaint: Complaint| complaint.in_file(file, text);
    let mut read = toml::from_str::<File>(text).map_err(Complaint::from).map_err(complain)?;
    let named = read.alarms.profile.take();
    let mut settings = settings(read, file).map_err(complain)?;
    if let Some(named) = named {
        let path = named.get_ref().in_folder_of(file);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let what = format!("the profile {} cannot be read: {error}", path.display());
            complain(Complaint::new(
                named.span(),
                what,
                "name a readable profile, or remove the key",
            ))
        })?;
        let profile =
            ecmo_profile::parse(&text).map_err(|refused| ConfigError::Profile { path, refused })?;
        settings.alarms.profile = Arc::new(profile);
    }
    Ok(settings)
}

fn settings(read: File, file: &str) -> Result<Settings, Complaint> {
    let defaults = Settings::default();
    addresses_differ(&[&read.broker.bind, &read.serve.bind, &read.metrics.bind])?;
    let wards = wards(read.wards)?;
    let secured_at = secured_at(&read.broker);
    let (broker, second_broker) = brokers(read.broker, defaults.broker)?;
    let name = read.gateway.name(defaults.name)?;
    go_together(secured_at, read.tls.as_ref().map(Spanned::span))?;
    let state_dir = read.state.dir.map(|dir| dir.in_folder_of(file));
    let preview = read.history.preview(defaults.history);
    Ok(Settings {
        peers: read.peer.expected(&name)?,
        drill: read.drill.every(defaults.drill),
        broker,
        second_broker,
        tls: towards_brokers(read.tls, &name, file)?,
        serve: serve(read.serve, defaults.serve, file)?,
        metrics_bind: read.metrics.bind.map_or(defaults.metrics_bind, |bind| bind.into_inner().0),
        alarms: Alarms {
            silence: read.alarms.silence_ms.map(|silence| silence.0),
            ..defaults.alarms
        },
        pumps: pumps(read.pump, &wards)?,
        wards,
        disclosure: disclosure(read.history, state_dir.as_deref(), file)?,
        people: people(read.people, state_dir.as_deref(), file)?,
        state_dir,
        history: preview,
        journal: journal(read.journal, file)?,
        ui: read.ui.read(file)?,
        name,
    })
}

/// Where displays are served, and how.
fn serve(read: ServeTable, default: Serve, file: &str) -> Result<Serve, Complaint> {
    let ServeTable { bind, displays_max, tls, insecure } = read;
    let insecure = insecure.unwrap_or(false);
    let tls = towards_displays(tls, file)?;
    if let Some(bind) = &bind {
        serves_safely(bind.get_ref().0, bind.span(), tls.is_some(), insecure)?;
    }
    Ok(Serve {
        bind: bind.map_or(default.bind, |bind| bind.into_inner().0),
        displays_max: displays_max.map_or(default.displays_max, |max| max.0),
        tls,
        insecure,
    })
}

/// Where a broker is named that is reached by TLS.
fn secured_at(broker: &BrokerTable) -> Option<std::ops::Range<usize>> {
    let urls = [&broker.url, &broker.second_url].into_iter().flatten();
    let mut secured = urls.filter(|url| match url.get_ref() {
        Url::Mqtt(address) => address.tls,
        Url::Embedded => false,
    });
    secured.next().map(Spanned::span)
}

fn addresses_differ(binds: &[&Option<Spanned<Bind>>]) -> Result<(), Complaint> {
    let mut taken = Vec::new();
    for bind in binds.iter().filter_map(|bind| bind.as_ref()) {
        let address = bind.get_ref().0;
        if address.port() != 0 && taken.contains(&address) {
            return Err(Complaint::new(
                bind.span(),
                format!("{address} is already taken by another section"),
                "give each section its own port",
            ));
        }
        taken.push(address);
    }
    Ok(())
}

fn wards(read: Option<Spanned<Vec<Spanned<String>>>>) -> Result<Vec<Id>, Complaint> {
    let Some(list) = read else { return Ok(Vec::new()) };
    let span = list.span();
    let list = list.into_inner();
    if list.is_empty() {
        return Err(Complaint::new(
            span,
            "wards is empty, so nothing would be watched",
            "name a ward, or remove the key to watch all",
        ));
    }
    if list.len() > WARDS_MAX {
        return Err(Complaint::new(
            span,
            format!("{} wards, at most {WARDS_MAX} can be named", list.len()),
            "remove the key to watch all, or share the wards among gateways",
        ));
    }
    let mut wards = Vec::with_capacity(list.len());
    for ward in list {
        let span = ward.span();
        let id = id(&ward.into_inner())
            .map_err(|(what, todo)| Complaint::new(span.clone(), what, todo))?;
        if wards.contains(&id) {
            return Err(Complaint::new(span, format!("ward {id} is named twice"), "remove one"));
        }
        wards.push(id);
    }
    Ok(wards)
}

/// The first broker and the second, if there is one.
fn brokers(table: BrokerTable, default: Broker) -> Result<(Broker, Option<Broker>), Complaint> {
    let BrokerTable { url, second_url, bind } = table;
    let first = url.as_ref().map_or(&Url::Embedded, Spanned::get_ref);
    let second = second_url.as_ref().map(Spanned::get_ref);
    if let Some(twice) = second_url.as_ref().filter(|second| second.get_ref() == first) {
        return Err(Complaint::new(
            twice.span(),
            "both brokers are the same, so that one fault takes both paths",
            "name another broker, or remove second_url",
        ));
    }
    let embedded = match (first, second) {
        (Url::Embedded, _) => Some(url.as_ref()),
        (_, Some(Url::Embedded)) => Some(second_url.as_ref()),
        (Url::Mqtt(_), Some(Url::Mqtt(_)) | None) => None,
    };
    let embedded_span = embedded.map(|url| url.map_or(0..0, Spanned::span));
    let embedded = embedded_broker(bind, embedded_span, default)?;
    let broker = |url: Url| match url {
        Url::Embedded => embedded.clone(),
        Url::Mqtt(address) => Broker::External(address),
    };
    let first = broker(url.map_or(Url::Embedded, Spanned::into_inner));
    Ok((first, second_url.map(Spanned::into_inner).map(broker)))
}

/// The embedded broker as it is set, where one is asked for at `asked`; without, nothing may be set for it.
fn embedded_broker(
    bind: Option<Spanned<Bind>>,
    asked: Option<std::ops::Range<usize>>,
    default: Broker,
) -> Result<Broker, Complaint> {
    let Some(asked) = asked else {
        return match bind {
            None => Ok(default),
            Some(bind) => Err(Complaint::new(
                bind.span(),
                "bind is for the embedded broker, but url names another one",
                "remove bind or set url = \"embedded\"",
            )),
        };
    };
    if !cfg!(feature = "embedded-broker") {
        return Err(Complaint::new(
            asked,
            "this program was built without the embedded broker",
            "set url = \"mqtt://HOST:PORT\" under [broker], or build with the feature embedded-broker",
        ));
    }
    let Some(bind) = bind else { return Ok(default) };
    let address = bind.get_ref().0;
    if address.ip().is_loopback() {
        return Ok(Broker::Embedded { bind: address });
    }
    Err(Complaint::new(
        bind.span(),
        format!("the embedded broker has no authentication, so {address} would let anyone in"),
        "bind it to 127.0.0.1, or run a broker with access rules and set url = \"mqtt://HOST:PORT\"",
    ))
}

fn pumps(read: Vec<Spanned<PumpTable>>, wards: &[Id]) -> Result<Vec<PumpAddress>, Complaint> {
    let mut pumps = Vec::with_capacity(read.len());
    for table in read {
        let span = table.span();
        let PumpTable { ward, pump } = table.into_inner();
        let address = PumpAddress { ward: ward.0, pump: pump.0 };
        if pumps.contains(&address) {
            return Err(Complaint::new(
                span,
                format!("pump {address} is named twice"),
                "remove one",
            ));
        }
        if !wards.is_empty() && !wards.contains(&address.ward) {
            return Err(Complaint::new(
                span,
                format!("pump {address} is in a ward that this gateway does not watch"),
                "add the ward to wards or remove the pump",
            ));
        }
        if pumps.len() == PUMPS_MAX {
            return Err(Complaint::new(
                span,
                format!("more than {PUMPS_MAX} pumps"),
                "share the wards among gateways",
            ));
        }
        pumps.push(address);
    }
    Ok(pumps)
}
