//! One tile: link and state, worst alarm, the values that matter with their ages, a sparkline.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Borders, Paragraph};

use crate::age::{GatewayTime, LocalTime, age_text};
use crate::format::{fit, fit_form, fit_parts, reading_forms};
use crate::model::{Alarm, Pump, Reading, Shown};
use crate::top::state::{Link, Tile, Top};
use crate::top::view::{look, trend};
use crate::words::{
    audio_text, condition_text, evidence_pieces, ownership_text, priority_label, priority_mark,
    rules_text,
};

/// The values of a tile with their labels; the first ones stay when a tile is small.
const VALUES: [(&str, &str); 6] = [
    ("flow.blood", "flow"),
    ("pump.speed", "speed"),
    ("press.drain", "drain"),
    ("press.pre", "pre"),
    ("press.post", "post"),
    ("pt.abp", "abp"),
];

/// Most values of a tile.
const VALUES_MAX: usize = 5;

const LABEL_WIDTH: usize = 6;

/// Draws the tile of a pump.
pub(crate) fn draw(
    frame: &mut Frame,
    area: Rect,
    top: &Top,
    tile: &Tile,
    selected: bool,
    local: LocalTime,
) {
    let now = top.pumps_now(local);
    let told = top.pumps_link.is_connected() && tile.is_known;
    let style = if selected { look::SELECTED } else { look::LABEL };
    let title = title(&tile.pump, told, now);
    let block = Block::new()
        .borders(Borders::ALL)
        .border_type(if selected { BorderType::Double } else { BorderType::Plain })
        .border_style(style)
        .title(Line::styled(fit(&title, usize::from(area.width.saturating_sub(2))), style))
        .title_bottom(rules_line(&tile.pump, told, area.width, now));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let mut lines = vec![alarm_line(top, tile, width, local)];
    if told {
        lines.extend(value_lines(&tile.pump, width, now));
    } else {
        lines.extend(withdrawn_lines(&top.pumps_link));
    }
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    let first_value = lines.get(1).map_or(0, Line::width);
    frame.render_widget(Paragraph::new(lines), inner);
    if !told {
        return;
    }
    let rest = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    if rest.height > 0 {
        trend::draw(frame, rest, tile);
    } else if inner.height > 1 {
        // A small tile has room for it beside its first value only.
        let taken = u16::try_from(first_value).unwrap_or(u16::MAX).saturating_add(2);
        let free = Rect { y: inner.y + 1, height: 1, ..inner };
        let width = inner.width.saturating_sub(taken);
        trend::draw_beside(frame, Rect { x: free.x + inner.width - width, width, ..free }, tile);
    }
}

/// Who looks after it, and what is declared, set, or cannot be judged, on the lower edge.
fn rules_line(pump: &Pump, told: bool, width: u16, now: GatewayTime) -> Line<'static> {
    let parts = [ownership_text(&pump.ownership, Some(now)), rules_text(pump)];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    if !told || text.is_empty() {
        return Line::default();
    }
    let width = usize::from(width.saturating_sub(2));
    Line::styled(fit(&format!(" {text} "), width), look::VALUE)
}

fn title(pump: &Pump, told: bool, now: GatewayTime) -> String {
    if !told {
        return format!(" {} UNKNOWN ", pump.name);
    }
    let age = pump.frame_age(now);
    let age = age.map_or_else(|| "no frame yet".to_owned(), age_text);
    let link = pump.link.to_string().to_uppercase();
    format!(" {} {link} {age}, {} ", pump.name, pump.turning_now(now))
}

/// The worst alarm of the pump; without the alarms' link it says that they are not shown, and of a pump that the gateway
/// does not know never that it has none.
fn alarm_line(top: &Top, tile: &Tile, width: usize, local: LocalTime) -> Line<'static> {
    if !top.alarms_link.is_connected() {
        let text = format!("{:<width$}", fit("ALARMS NOT SHOWN HERE", width));
        return Line::styled(text, look::UNKNOWN);
    }
    let alarms = top.alarms_of(&tile.pump.name);
    let Some(worst) = alarms.first() else {
        if !tile.is_known {
            return Line::styled(
                format!("{:<width$}", fit("ALARMS UNKNOWN", width)),
                look::UNKNOWN,
            );
        }
        return Line::styled("no alarm raised", look::LABEL);
    };
    let more = alarms.len() - 1;
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    let parts = worst_parts(worst, top.alarms_now(local));
    let text = fit_parts(&parts, width.saturating_sub(more.len()));
    Line::styled(format!("{text}{more}"), look::priority(worst.priority))
}

fn worst_parts(alarm: &Alarm, now: GatewayTime) -> Vec<String> {
    let head = format!(
        "{} {} {}",
        priority_mark(alarm.priority).trim_end(),
        priority_label(alarm.priority).trim_end(),
        condition_text(&alarm.condition),
    );
    let known = if alarm.last_known { "LAST KNOWN" } else { "" };
    let escalated = if alarm.escalated { "ESCALATED" } else { "" };
    let mut parts = vec![head, escalated.to_owned(), known.to_owned()];
    parts.extend(audio_text(alarm, now));
    parts.extend(evidence_pieces(alarm, now));
    parts
}

fn value_lines(pump: &Pump, width: usize, now: GatewayTime) -> Vec<Line<'static>> {
    let find = |id: &str| pump.readings.iter().find(|reading| reading.parameter == id);
    let known = VALUES.iter().filter_map(|(id, label)| Some((*label, find(id)?)));
    let mut lines: Vec<_> = known
        .take(VALUES_MAX)
        .map(|(label, each)| value_line(pump, label, each, width, now))
        .collect();
    if lines.is_empty() {
        // A pump with none of these channels shows what it has.
        let others = pump.readings.iter().take(VALUES_MAX);
        lines.extend(others.map(|each| value_line(pump, &each.parameter, each, width, now)));
    }
    if lines.is_empty() {
        lines.push(Line::styled("--- no readings", look::WITHDRAWN));
    }
    lines
}

/// One reading; its age is never cut off, the label and the reason are.
fn value_line(
    pump: &Pump,
    label: &str,
    reading: &Reading,
    width: usize,
    now: GatewayTime,
) -> Line<'static> {
    let shown = pump.shown(reading, now);
    let style = value_style(shown);
    let text = fit_form(&reading_forms(reading, shown), width.saturating_sub(LABEL_WIDTH + 1));
    Line::from(vec![
        Span::styled(format!("{:<LABEL_WIDTH$} ", fit(label, LABEL_WIDTH)), look::LABEL),
        Span::styled(text, style),
    ])
}

/// The look of a reading: only what holds now looks like a value.
pub(crate) const fn value_style(shown: Shown) -> Style {
    match shown {
        Shown::Now { .. } => look::VALUE,
        Shown::None { .. } => look::WITHDRAWN,
    }
}

/// What stands in place of values. Short lines, because a tile may be narrow.
pub(crate) fn withdrawn_lines(link: &Link) -> Vec<Line<'static>> {
    let why: &[&str] = match link {
        Link::Connecting(_) => &["waiting for the gateway"],
        Link::Lost { .. } => &["no connection to the gateway"],
        // Connected, values are withdrawn only of a pump that the gateway forgot.
        Link::Connected => &["not known to the gateway", "since its restart"],
    };
    let mut lines = vec![Line::styled(" UNKNOWN ", look::UNKNOWN)];
    lines.extend(why.iter().map(|why| Line::styled(*why, look::PLAIN)));
    lines.push(Line::styled("values withdrawn: look at the pump", look::PLAIN));
    lines
}

/// Draws what stands where no pump is known.
pub(crate) fn draw_none(frame: &mut Frame, area: Rect, top: &Top) {
    let text = match &top.pumps_link {
        Link::Connected => "the gateway knows no pump yet: is an agent running?".to_owned(),
        Link::Connecting(_) => format!("WAITING for the gateway at {}", top.url),
        Link::Lost { .. } => "UNKNOWN: no connection to the gateway".to_owned(),
    };
    frame.render_widget(Paragraph::new(text).block(Block::bordered()), area);
}
