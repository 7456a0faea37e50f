//! A display: the real `Screen`, the streams that feed it, and the people who stand before it.

use ecmo_core::parameter::Parameter;
use ecmo_display::{Freshness, LinkId, LocalTime, Picture, RowKey, Screen, Shown};

use crate::breaks::Break;
use crate::broker::Life;
use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::many::Many;
use crate::net::Net;
use crate::rules::{CODE, WATCHED};
use crate::stream::{LaneKind, Packet, Painted, Request, Wish, WishKind};
use crate::time::{HostClock, Nanos, SECOND};
use crate::words::{WARD, pump_name, pump_number};

/// A subscription that nothing comes of is opened anew after this.
const TRY_AGAIN: Nanos = SECOND;

/// Time between two pictures.
pub const PAINT: Nanos = SECOND;

/// Packets that wait at a frozen display; the gateway's lanes are bounded, and so is this.
pub const INBOX_MAX: usize = 4 * crate::stream::LANE_MAX;

/// A lane as the display subscribed it.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    subscription: u64,
    asked_at: Option<Nanos>,
}

/// One gateway that it is connected to.
#[derive(Debug, Clone)]
pub struct DisplayLink {
    /// The gateway's number.
    pub gateway: usize,
    alarms: Lane,
    pumps: Lane,
}

/// A display.
#[derive(Debug)]
pub struct Display {
    number: usize,
    /// The clocks of its host.
    pub clock: HostClock,
    /// What its process does.
    pub life: Life,
    /// The real screen.
    pub screen: Screen,
    /// Its gateways, in the order of the screen's links.
    pub links: Vec<DisplayLink>,
    /// What came while it was frozen.
    pub inbox: Vec<(usize, Packet)>,
    keys: Many<Many<Vec<RowKey>>>,
    subscriptions: u64,
    planted: Option<Break>,
    dice: Dice,
}

/// A value that is shown as one of now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LiveValue {
    /// Of the pump of this row.
    pub pump: usize,
    /// What was measured.
    pub parameter: Parameter,
    /// Its value.
    pub value: f32,
}

impl Display {
    /// A display that is connected to these gateways.
    #[must_use]
    pub fn new(
        number: usize,
        gateways: &[usize],
        pumps: usize,
        clock: HostClock,
        planted: Option<Break>,
        dice: Dice,
    ) -> Self {
        let links = gateways.iter().map(|gateway| DisplayLink {
            gateway: *gateway,
            alarms: Lane::default(),
            pumps: Lane::default(),
        });
        let links: Vec<DisplayLink> = links.collect();
        let keys = |pump| Many::new(WATCHED.len(), |place| keys_of(pump, place));
        Self {
            number,
            clock,
            life: Life::Runs,
            screen: Screen::new(u8::try_from(links.len()).unwrap_or(0), WARD),
            links,
            inbox: Vec::new(),
            keys: Many::new(pumps, keys),
            subscriptions: 0,
            planted,
            dice,
        }
    }

    fn local(&self, now: Nanos) -> LocalTime {
        LocalTime(self.clock.instant(now).as_nanos())
    }

    /// Its process starts anew: an empty screen.
    pub fn start(&mut self) {
        self.life = Life::Runs;
        self.screen = Screen::new(u8::try_from(self.links.len()).unwrap_or(0), WARD);
        for link in &mut self.links {
            (link.alarms, link.pumps) = (Lane::default(), Lane::default());
        }
        self.inbox.clear();
    }

    /// The process of a gateway is gone: its host closes the connection.
    pub fn gateway_is_gone(&self, gateway: usize, net: &mut Net) {
        let Some(link) = self.links.iter().find(|link| link.gateway == gateway) else { return };
        let lanes = [(LaneKind::Alarms, link.alarms), (LaneKind::Pumps, link.pumps)];
        for (kind, lane) in lanes {
            // A cut way swallows it; then the silence tells.
            net.to_display(gateway, self.number, Packet::Closed(lane.subscription, kind));
        }
    }

    /// Takes a packet.
    pub fn take(&mut self, gateway: usize, packet: Packet, ledger: &mut Ledger, now: Nanos) {
        let local = self.local(now);
        let Some(place) = self.links.iter().position(|link| link.gateway == gateway) else {
            return;
        };
        let Some(link) = self.links.get_mut(place) else { return };
        let id = LinkId(u8::try_from(place).unwrap_or(u8::MAX));
        match packet {
            Packet::Alarms(of, message) if of == link.alarms.subscription => {
                self.screen.on_alarms(id, *message, local);
            }
            Packet::Pumps(of, message) if of == link.pumps.subscription => {
                self.screen.on_pumps(id, message, local);
            }
            Packet::Closed(of, LaneKind::Alarms) if of == link.alarms.subscription => {
                link.alarms.asked_at = None;
                self.screen.on_alarms_lost(id, local);
            }
            Packet::Closed(of, LaneKind::Pumps) if of == link.pumps.subscription => {
                link.pumps.asked_at = None;
                self.screen.on_pumps_lost(id, local);
            }
            Packet::Answer { number, accepted, durable } => {
                ledger.answered(number, gateway, (accepted, durable), now);
            }
            Packet::Attended(epoch, gateway_now, sent) => {
                self.screen.on_answer(id, epoch, gateway_now, LocalTime(sent), local);
            }
            Packet::Uncounted(shown) => {
                let shown = shown.into_iter();
                let shown = shown.map(|(occurrence, revision)| Shown { occurrence, revision });
                self.screen.put_back(id, shown.collect());
            }
            // Of a subscription that is no more.
            Packet::Alarms(..) | Packet::Pumps(..) | Packet::Closed(..) => {}
        }
    }

    /// Paints a picture, confirms what is in it, and subscribes what is of no use any more.
    pub fn paint(&mut self, net: &mut Net) -> Picture {
        let local = self.local(net.now);
        self.screen.tick(local);
        let picture = self.screen.picture();
        self.screen.painted(&picture, |_row| true);
        for place in 0..self.links.len() {
            self.attend(place, local, net);
            self.tend(place, net);
        }
        picture
    }

    /// Renews its lease, before it confirms: what one shows that attends counts.
    fn attend(&self, place: usize, local: LocalTime, net: &mut Net) {
        let painted = self.screen.painted_until(LinkId(u8::try_from(place).unwrap_or(u8::MAX)));
        let painted = painted.map(|(epoch, at)| Painted { epoch, mono_ns: at.0 });
        if let Some(link) = self.links.get(place) {
            net.request(self.number, link.gateway, Request::Attend(local.0, painted));
        }
    }

    fn tend(&mut self, place: usize, net: &mut Net) {
        let id = LinkId(u8::try_from(place).unwrap_or(u8::MAX));
        let needs = self.screen.needs_resubscribe(id);
        let shown = self.screen.take_confirmations(id);
        let seen_until = self.screen.seen_until(id);
        let Some(link) = self.links.get_mut(place) else { return };
        if !shown.is_empty() {
            let shown = shown.into_iter().map(|one| (one.occurrence, one.revision)).collect();
            net.request(self.number, link.gateway, Request::Confirm(shown));
        }
        let lanes = [
            (LaneKind::Alarms, &mut link.alarms, needs.alarms.is_some()),
            (LaneKind::Pumps, &mut link.pumps, needs.pumps.is_some()),
        ];
        for (kind, lane, needed) in lanes {
            let waits = lane.asked_at.is_some_and(|at| net.now.saturating_sub(at) < TRY_AGAIN);
            if !needed || waits {
                continue;
            }
            self.subscriptions += 1;
            let subscription = self.subscriptions;
            *lane = Lane { subscription, asked_at: Some(net.now) };
            let seen_until = if kind == LaneKind::Alarms { seen_until } else { None };
            let request = Request::Watch { subscription, lane: kind, seen_until };
            net.request(self.number, link.gateway, request);
        }
    }

    /// Whether whoever looks at it knows of trouble with a watched signal of a pump: its alarm, that of its sensor or its
    /// data, or that the display hears no gateway.
    #[must_use]
    pub fn tells(&self, pump: usize, place: usize) -> bool {
        let hears = self.screen.is_known() || self.planted == Some(Break::LinkLossNotTold);
        !hears || self.keys[pump][place].iter().any(|key| self.screen.row(key).is_some())
    }

    /// The values that a picture shows as those of now.
    pub fn live_values(picture: &Picture) -> impl Iterator<Item = LiveValue> {
        picture.pumps.iter().flat_map(|view| {
            let pump = pump_number(&view.pump.pump).unwrap_or(usize::MAX);
            view.pump.readings.iter().filter_map(move |reading| {
                let parameter = Parameter::from_id(&reading.parameter)?;
                let is_live = view.reading(reading) == Freshness::Live;
                let value = reading.value.filter(|_| is_live && parameter == CODE)?;
                Some(LiveValue { pump, parameter, value })
            })
        })
    }

    /// Somebody stands before the screen and does something, or nothing.
    pub fn person(&mut self, ledger: &mut Ledger, net: &mut Net) -> Option<u64> {
        if self.life != Life::Runs || !self.screen.is_known() {
            return None;
        }
        let rows = self.screen.rows();
        let rows: Vec<_> =
            rows.into_iter().filter(|row| !row.key.is_own() && !row.unheard).collect();
        let row = rows.get(self.dice.place(rows.len()))?;
        let pump = pump_number(&row.key.pump)?;
        let told = row.told_by(row.link).or_else(|| row.told.first())?;
        let link = self.links.get(usize::from(told.link.0))?;
        let what = match self.dice.below(10) {
            0 => WishKind::Pause(self.dice.between(5, 120)),
            1 => WishKind::Accept,
            2 => WishKind::HandOver,
            3 => WishKind::Reject,
            _ => WishKind::Acknowledge {
                occurrence: told.shown.occurrence.clone(),
                revision: told.shown.revision,
            },
        };
        let condition = row.key.condition.clone();
        let number = ledger.wished(pump, condition, told.call, &what);
        let wish = Wish { number, pump, what };
        net.request(self.number, link.gateway, Request::Act(wish));
        Some(number)
    }
}

/// The rows, any of which tells of trouble with a watched signal.
fn keys_of(pump: usize, place: usize) -> Vec<RowKey> {
    let Some(watched) = WATCHED.get(place) else { return Vec::new() };
    let key = |condition: String| RowKey {
        ward: WARD.to_owned(),
        pump: pump_name(pump),
        condition,
        gateway: String::new(),
    };
    vec![
        key(watched.condition.to_string()),
        key(format!("sensor.fault.{}", watched.parameter.info().id)),
        key("comm.stale".to_owned()),
        key("comm.console_silent".to_owned()),
    ]
}
