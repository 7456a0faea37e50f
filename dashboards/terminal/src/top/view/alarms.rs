//! The list of alarms, most urgent first. It returns those that a person can read, because only these are confirmed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::age::{GatewayTime, LocalTime, age_text};
use crate::client::ShownAlarm;
use crate::format::fit_parts;
use crate::model::{Alarm, Signal};
use crate::top::state::{Link, Top};
use crate::top::view::look;
use crate::words::{audio_text, condition_text, evidence_pieces, priority_label, priority_mark};

/// Narrower than this, no alarm counts as readable.
const WIDTH_READABLE: u16 = 40;

/// Draws the list; returns the revisions that are readable.
pub(crate) fn draw(frame: &mut Frame, area: Rect, top: &Top, local: LocalTime) -> Vec<ShownAlarm> {
    let alarms = &top.alarms;
    let rows = usize::from(area.height.saturating_sub(1));
    let selected = top.selected_alarm.as_ref();
    let position = alarms.iter().position(|alarm| Some(&alarm.occurrence) == selected).unwrap_or(0);
    // The list moves only as far as the selected alarm needs.
    let first = (position + 1).saturating_sub(rows);
    let visible: Vec<&Alarm> = alarms.iter().skip(first).take(rows).collect();
    let width = usize::from(area.width);
    let title = title(top, alarms.len(), first, visible.len(), local);
    let mut lines = vec![Line::styled(format!("{title:─<width$}"), look::LABEL)];
    let now = top.alarms_now(local);
    let connected = top.alarms_link.is_connected();
    for alarm in &visible {
        let is_selected = Some(&alarm.occurrence) == selected;
        lines.push(row(alarm, is_selected, connected, width, now));
    }
    if alarms.is_empty() && connected {
        lines.push(Line::styled(none_text(top, local), look::LABEL));
    }
    frame.render_widget(Paragraph::new(lines), area);
    if area.width < WIDTH_READABLE {
        return Vec::new();
    }
    let shown = |alarm: &&Alarm| ShownAlarm {
        occurrence: alarm.occurrence.clone(),
        revision: alarm.revision,
    };
    visible.iter().map(shown).collect()
}

fn title(top: &Top, count: usize, first: usize, visible: usize, local: LocalTime) -> String {
    let standing = match &top.alarms_link {
        Link::Connected => String::new(),
        Link::Connecting(_) => " UNKNOWN: not received yet ".to_owned(),
        Link::Lost { since, .. } => {
            format!(" AS LAST KNOWN {} ago ", age_text(local.since(*since)))
        }
    };
    let part = if visible < count {
        format!(" {} to {} of {count} ", first + 1, first + visible)
    } else {
        String::new()
    };
    let unlisted = match top.unlisted_alarms {
        0 => String::new(),
        some => format!(" {some} NOT LISTED "),
    };
    format!("── alarms {standing}{part}{unlisted}")
}

/// Never "no alarms" for pumps whose data does not arrive.
fn none_text(top: &Top, local: LocalTime) -> String {
    let (live, all) = top.live(local);
    match all - live {
        0 if all == 0 => "no pump is known".to_owned(),
        0 => format!("no alarms on {live} pumps"),
        without => format!("no alarms on {live} pumps, {without} without data"),
    }
}

/// One alarm; what matters most comes first, and what does not fit is left out whole.
fn row(
    alarm: &Alarm,
    selected: bool,
    connected: bool,
    width: usize,
    now: GatewayTime,
) -> Line<'static> {
    let style = if connected { look::priority(alarm.priority) } else { look::UNKNOWN };
    let pointer = if selected { "▶" } else { " " };
    let label = format!("{} {}", priority_mark(alarm.priority), priority_label(alarm.priority));
    let rest = width.saturating_sub(2 + label.chars().count() + 2);
    let mut parts = vec![
        format!("{} {}", alarm.place(), condition_text(&alarm.condition)),
        format!(" {}", age_text(alarm.onset.age_at(now))),
        format!(" {}", standing(alarm)),
    ];
    // A sound that stays away is told before anything else: silence must not pass for calm.
    parts.extend(audio_text(alarm, now));
    if let Some(by) = &alarm.acknowledged_by {
        parts.push(format!("by {by}"));
    }
    parts.extend(evidence_pieces(alarm, now));
    Line::from(vec![
        Span::styled(format!("{pointer} "), look::SELECTED),
        Span::styled(label, style),
        Span::raw(format!("  {}", fit_parts(&parts, rest))),
    ])
}

/// Where the occurrence stands, in a word.
fn standing(alarm: &Alarm) -> String {
    let standing = match alarm.signal {
        Signal::On | Signal::Off => "ACTIVE",
        Signal::Latched => "LATCHED",
        Signal::Acknowledged => "ACK",
    };
    let escalated = if alarm.escalated { ", ESCALATED" } else { "" };
    let known = if alarm.last_known { ", LAST KNOWN" } else { "" };
    format!("{standing}{escalated}{known}")
}
