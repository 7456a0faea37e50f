//! One pump in full: every reading with its age, its alarms, its counters, the channels that are not read.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use crate::age::{GatewayTime, LocalTime, age_text};
use crate::format::{parameter_name, reading_text};
use crate::model::{Pump, Reading, Source};
use crate::top::state::Top;
use crate::top::view::{bar, look, tile};
use crate::words::{alarm_line, check_line, ownership_line, rules_text};

/// Width from which the facts stand beside the readings instead of below them.
const TWO_COLUMNS_WIDTH: u16 = 100;

const NAME_WIDTH: usize = 32;

/// Draws the selected pump.
pub(crate) fn draw(frame: &mut Frame, area: Rect, top: &Top, local: LocalTime) {
    let selected = top.selected_pump.as_ref().and_then(|name| top.tiles.get(name));
    let Some(tile) = selected else {
        return tile::draw_none(frame, area, top);
    };
    let pump = &tile.pump;
    let block = Block::bordered().title(format!(" {} (Esc: all pumps) ", pump.name));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if !top.pumps_link.is_connected() || !tile.is_known {
        let lines = tile::withdrawn_lines(&top.pumps_link);
        return frame.render_widget(Paragraph::new(lines), inner);
    }
    let now = top.pumps_now(local);
    let owner = Line::raw(format!(
        "{:<NAME_WIDTH$} {}",
        "looked after by",
        ownership_line(&pump.ownership, Some(now))
    ));
    let mut lines = vec![link_line(pump, now), owner];
    if inner.width >= TWO_COLUMNS_WIDTH {
        let [left, right] =
            Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)])
                .areas(inner);
        lines.extend(readings(pump, now));
        draw_lines(frame, left, lines, top.scroll);
        let mut lines = alarms(top, pump, local);
        lines.extend(rules(pump));
        lines.extend(facts(pump));
        return draw_lines(frame, right, lines, top.scroll);
    }
    lines.extend(alarms(top, pump, local));
    lines.extend(readings(pump, now));
    lines.extend(rules(pump));
    lines.extend(facts(pump));
    draw_lines(frame, inner, lines, top.scroll);
}

/// Draws lines from `scroll` on, and says where there are more above or below.
fn draw_lines(frame: &mut Frame, area: Rect, lines: Vec<Line<'static>>, scroll: u16) {
    let width = usize::from(area.width.max(1));
    let height = lines.iter().map(|line| line.width().div_ceil(width).max(1)).sum::<usize>();
    let height = u16::try_from(height).unwrap_or(u16::MAX);
    let below = height.saturating_sub(area.height);
    let scroll = scroll.min(below);
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll, 0));
    frame.render_widget(text, area);
    if below > 0 {
        let more = format!(" {scroll} lines above, {} below: PgUp PgDn ", below - scroll);
        // On the frame below, where it hides no value.
        bar::draw_page(frame, Rect { height: area.height + 1, ..area }, &more);
    }
}

fn readings(pump: &Pump, now: GatewayTime) -> Vec<Line<'static>> {
    let line = |reading: &Reading| {
        let shown = pump.shown(reading, now);
        let name = format!("{:<NAME_WIDTH$} ", parameter_name(&reading.parameter));
        Line::from(vec![
            Span::styled(name, look::LABEL),
            Span::styled(reading_text(reading, shown), tile::value_style(shown)),
        ])
    };
    pump.readings.iter().map(line).collect()
}

fn link_line(pump: &Pump, now: GatewayTime) -> Line<'static> {
    let age = pump.frame_age(now);
    let frame = age.map_or_else(
        || "no frame yet".to_owned(),
        |age| format!("last frame {} ago", age_text(age)),
    );
    Line::styled(
        format!("{}, {}, {frame}", pump.link.to_string().to_uppercase(), pump.turning_now(now)),
        look::VALUE,
    )
}

fn alarms(top: &Top, pump: &Pump, local: LocalTime) -> Vec<Line<'static>> {
    if !top.alarms_link.is_connected() {
        return vec![Line::styled("ALARMS NOT SHOWN HERE", look::UNKNOWN)];
    }
    let alarms = top.alarms_of(&pump.name);
    if alarms.is_empty() {
        return vec![Line::styled("no alarm raised", look::LABEL)];
    }
    let now = top.alarms_now(local);
    let mut lines = Vec::new();
    for alarm in alarms {
        lines.push(Line::styled(alarm_line(alarm, now), look::priority(alarm.priority)));
        lines.extend(check_line(alarm).map(|check| Line::raw(format!("  {check}"))));
    }
    lines
}

/// What judges the pump: who has signed the rules, what is declared, set, or cannot be judged.
fn rules(pump: &Pump) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if pump.unreviewed {
        let text = "UNREVIEWED rules: no clinician has signed the alarm rules";
        lines.push(Line::styled(text, look::VALUE));
    }
    let special = rules_text(pump);
    let special = if special.is_empty() { "as the profile says".to_owned() } else { special };
    let version = pump.treatment_version;
    lines.push(Line::raw(format!("rules: {special}; treatment version {version}")));
    if pump.rules_not_evaluable > 0 || pump.limits_set > 0 {
        let text = format!("which and why: ecmoctl treatment {}", pump.name);
        lines.push(Line::styled(text, look::LABEL));
    }
    lines
}

fn facts(pump: &Pump) -> Vec<Line<'static>> {
    let source = match pump.source {
        Source::Measured => "measured",
        Source::Simulated => "SIMULATED: no patient",
        Source::Replayed => "REPLAYED: a recording, no patient",
    };
    let count = pump.counters;
    let mut lines = vec![
        Line::raw(format!("{}  agent {}  {source}", pump.device, pump.agent_version)),
        Line::raw(format!(
            "frames: {} received, {} missing, {} duplicate, {} reordered, {} late, {} rejected",
            count.frames_received,
            count.frames_missing,
            count.frames_duplicate,
            count.frames_reordered,
            count.frames_late,
            count.frames_rejected
        )),
        Line::raw(format!(
            "{} invalid samples, {} agent starts, {} clock steps, {} dropouts, {} pump",
            count.samples_invalid, count.boots, count.clock_steps, count.dropouts, pump.kind
        )),
    ];
    lines.extend(pump.refused_channels.iter().map(|channel| {
        Line::styled(format!("NOT READ: {}: {}", channel.parameter, channel.reason), look::VALUE)
    }));
    lines
}
