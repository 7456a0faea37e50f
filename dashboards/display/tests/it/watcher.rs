//! The model's displays: what each link of one of them was sent, and what arrives when.

use std::collections::{BTreeMap, VecDeque};

use ecmo_display::{LinkId, Screen};
use ecmo_proto::v1;
use v1::watch_alarms_response::Update;

use crate::messages::ms;

pub(crate) enum Wire {
    Alarms(Box<v1::WatchAlarmsResponse>),
    Pumps(v1::WatchPumpsResponse),
}

/// One display's side of one link.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) open: bool,
    pub(crate) numbers: (u64, u64),
    pub(crate) waiting: VecDeque<(u64, Wire)>,
    pub(crate) stalled_until: u64,
    pub(crate) drop_next: bool,
    /// What the display has been told by this subscription without a gap.
    pub(crate) told: BTreeMap<String, v1::Alarm>,
    pub(crate) dropped: bool,
    pub(crate) gapless: bool,
}

/// One display with what it was told.
pub(crate) struct Watcher {
    pub(crate) screen: Screen,
    pub(crate) lines: [Line; 2],
}

impl Watcher {
    pub(crate) fn new() -> Self {
        Self { screen: Screen::new(2, ""), lines: Default::default() }
    }

    pub(crate) fn send(&mut self, link: usize, at: u64, wire: Wire) {
        let line = &mut self.lines[link];
        if line.open {
            let at = at.max(line.stalled_until);
            line.waiting.push_back((at, wire));
        }
    }

    pub(crate) fn number(&mut self, link: usize) -> (u64, u64) {
        self.lines[link].numbers
    }

    pub(crate) fn deliver(&mut self, now: u64) {
        for link in 0..2 {
            let id = LinkId(u8::try_from(link).unwrap());
            while self.lines[link].waiting.front().is_some_and(|(at, _)| *at <= now) {
                let (_, wire) = self.lines[link].waiting.pop_front().unwrap();
                let line = &mut self.lines[link];
                if std::mem::take(&mut line.drop_next) {
                    line.dropped |= matches!(wire, Wire::Alarms(_));
                    continue;
                }
                match wire {
                    Wire::Alarms(message) => {
                        // A gap shows with the message after it.
                        line.gapless = !line.dropped;
                        line.learn(&message);
                        self.screen.on_alarms(id, *message, ms(now));
                    }
                    Wire::Pumps(message) => self.screen.on_pumps(id, message, ms(now)),
                }
            }
        }
        self.screen.tick(ms(now));
    }

    pub(crate) fn cut(&mut self, link: usize, now: u64) {
        self.lines[link] = Line::default();
        self.screen.on_lost(LinkId(u8::try_from(link).unwrap()), ms(now));
    }
}

impl Line {
    fn learn(&mut self, message: &v1::WatchAlarmsResponse) {
        match &message.update {
            Some(Update::Snapshot(snapshot)) => {
                let named = |alarm: &v1::Alarm| (alarm.occurrence.clone(), alarm.clone());
                self.told = snapshot.alarms.iter().map(named).collect();
            }
            Some(Update::Alarm(alarm)) if alarm.present => {
                self.told.insert(alarm.occurrence.clone(), alarm.clone());
            }
            Some(Update::Alarm(alarm)) => {
                self.told.remove(&alarm.occurrence);
            }
            Some(Update::Heartbeat(_) | Update::Drill(_)) | None => {}
        }
    }
}
