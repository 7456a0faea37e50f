//! The top bar (who is live, whether the gateway is there, its last heartbeat), banners, and the foot.

use std::time::Duration;

use ecmo_display::LinkView;
use jiff::Zoned;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::age::{LocalTime, age_text};
use crate::clock::{clock_text, local_wall};
use crate::format::{fit, fit_parts, latency_text};
use crate::model::Priority;
use crate::top::state::{Link, Top};
use crate::top::view::look;
use crate::words::condition_text;

/// How long a note stays.
const NOTE_STAYS: Duration = Duration::from_secs(10);

/// That no clinician has signed the rules of some pump.
const UNREVIEWED: &str = "UNREVIEWED rules";

/// Lines of the bar with its banners.
pub(crate) fn height(top: &Top) -> u16 {
    2 + u16::try_from(banners(top).len()).unwrap_or(0)
}

/// Draws the bar and its banners.
pub(crate) fn draw(frame: &mut Frame, area: Rect, top: &Top, local: LocalTime, wall: &Zoned) {
    let width = usize::from(area.width);
    let mut lines = vec![first_line(top, local, wall), second_line(top, width)];
    for banner in banners(top) {
        let text = fit(&banner, width);
        lines.push(Line::styled(format!("{text:<width$}"), look::BANNER));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

fn first_line(top: &Top, local: LocalTime, wall: &Zoned) -> Line<'static> {
    let mut spans = vec![Span::styled("ECMO ", look::VALUE)];
    spans.extend(link_span(top, local));
    let (live, all) = top.live(local);
    if top.pumps_link.is_connected() {
        spans.push(Span::raw(format!("  {live} of {all} live  ")));
    } else {
        spans.push(Span::styled(format!("  {all} pumps UNKNOWN  "), look::UNKNOWN));
    }
    spans.extend(counts(top));
    spans.push(Span::styled(format!("  {}", clock_text(wall)), look::LABEL));
    Line::from(spans)
}

/// Whether the gateway is there, in one word, since when not.
fn link_span(top: &Top, local: LocalTime) -> Vec<Span<'static>> {
    let text = match (&top.pumps_link, &top.alarms_link) {
        (Link::Connected, Link::Connected) => return vec![Span::raw("CONNECTED")],
        (Link::Lost { since, wall, .. }, _) | (_, Link::Lost { since, wall, .. }) => {
            format!(" LOST since {} ({}) ", clock_text(wall), age_text(local.since(*since)))
        }
        (Link::Connecting(_), _) | (_, Link::Connecting(_)) => " CONNECTING ".to_owned(),
    };
    vec![Span::styled(text, look::BANNER)]
}

/// Active alarms by priority; never "none" beyond the pumps that are known.
fn counts(top: &Top) -> Vec<Span<'static>> {
    if !top.alarms_link.is_connected() {
        return vec![Span::styled(" alarms UNKNOWN ", look::UNKNOWN)];
    }
    let count = |priority| top.alarms.iter().filter(|alarm| alarm.priority == priority).count();
    let labels =
        [(Priority::High, "*** high"), (Priority::Medium, "** medium"), (Priority::Low, "* low")];
    let mut spans = Vec::new();
    for (priority, label) in labels {
        let number = count(priority);
        let style = if number > 0 { look::priority(priority) } else { look::LABEL };
        spans.push(Span::styled(format!("{label} {number}"), style));
        spans.push(Span::raw("  "));
    }
    let cards = count(Priority::Information);
    if cards > 0 {
        spans.push(Span::raw(format!("i cards {cards}  ")));
    }
    spans
}

fn second_line(top: &Top, width: usize) -> Line<'static> {
    let heartbeat = match top.heartbeat {
        Some(beat) => {
            let age = age_text(beat.age);
            let at = local_wall(beat.wall_ns).map(|wall| clock_text(&wall));
            format!("alarm heartbeat {} ({age} ago)", at.as_deref().unwrap_or("--:--:--"))
        }
        None => "no alarm heartbeat yet".to_owned(),
    };
    let latency = match &top.slowest {
        Some((hop, nanos)) if top.pumps_link.is_connected() => {
            format!("  p99 {} {}", latency_text(*nanos), hop.replace('_', " "))
        }
        Some(_) | None => String::new(),
    };
    Line::styled(fit_parts(&[heartbeat, links_text(top), latency], width), look::LABEL)
}

/// Each link of several, in a word, in the order of the settings.
fn links_text(top: &Top) -> String {
    if top.links.len() < 2 {
        return String::new();
    }
    let word = |(index, link): (usize, &LinkView)| {
        let lost = link.lost_for.map(|lost| format!(" {}", age_text(lost))).unwrap_or_default();
        format!("{} {}{lost}", index + 1, link.state.to_string().to_uppercase())
    };
    let links: Vec<String> = top.links.iter().enumerate().map(word).collect();
    format!("  gateways {}", links.join(", "))
}

/// What must be known before the rest of the screen is believed.
fn banners(top: &Top) -> Vec<String> {
    let mut banners = Vec::new();
    let links = [("PUMPS", &top.pumps_link), ("ALARMS", &top.alarms_link)];
    let mut told = links.into_iter().filter_map(|(what, link)| match link {
        Link::Connected => None,
        Link::Connecting(reason) => {
            let reason = reason.as_deref().unwrap_or("waiting for the first message");
            Some((what, "NOT RECEIVED YET", reason))
        }
        Link::Lost { reason, .. } => Some((what, "NOT CONNECTED: LOOK AT THE PUMPS", reason)),
    });
    match (told.next(), told.next()) {
        // One line for one cause leaves more room for the pumps.
        (Some((_, standing, reason)), Some((_, other, _))) if standing == other => {
            banners.push(format!(" PUMPS AND ALARMS {standing}. {reason}"));
        }
        (first, second) => {
            let lines = first.into_iter().chain(second);
            banners.extend(
                lines.map(|(what, standing, reason)| format!(" {what} {standing}. {reason}")),
            );
        }
    }
    if let Some(forgotten) = top.forgotten {
        let count = forgotten.alarms;
        let (noun, verb) = if count == 1 { ("alarm", "is") } else { ("alarms", "are") };
        let what = format!("{count} {noun} of before {verb} not known any more");
        banners.push(format!(" GATEWAY RESTARTED: {what}, LOOK AT THE PUMPS"));
    }
    if let Some(newest) = top.missed.first() {
        let count = top.missed.len();
        let what = format!("{} {}", newest.place(), condition_text(&newest.condition));
        banners.push(format!(" MISSED: {count} came and went unseen, the newest {what}"));
    }
    let lost = top.links.iter().filter(|link| !link.state.is_known()).count();
    if top.links.len() > 1 && lost > 0 && lost < top.links.len() {
        let text = " ONE GATEWAY IS LOST: the other one goes on alone";
        banners.push(text.to_owned());
    }
    if top.doubted {
        let text = " NOT TAKEN AS A DISPLAY THAT PAINTS: alarms go to others too";
        banners.push(text.to_owned());
    }
    if let Some(age) = top.picture_is_old() {
        banners.push(format!(" PICTURE IS {} OLD", age_text(age)));
    }
    if top.pumps_link.is_connected() && !top.alarms_are_judged() {
        banners.push(" ALARMS ARE NOT JUDGED: the gateway's alarm thread hangs".to_owned());
    }
    if top.unlisted_pumps > 0 {
        banners.push(format!(" {} MORE PUMPS do not fit this display", top.unlisted_pumps));
    }
    banners
}

/// Draws the last line: a note while it is new, else keys and standing notices.
pub(crate) fn draw_foot(frame: &mut Frame, area: Rect, top: &Top, local: LocalTime) {
    let note = top.note.as_ref().filter(|(_, at)| local.since(*at) < NOTE_STAYS);
    let mut spans = Vec::new();
    // Stays beside a note: that nobody has signed the rules is true all the time.
    if top.is_unreviewed() {
        spans.push(Span::styled(UNREVIEWED, look::UNKNOWN));
        spans.push(Span::raw("  "));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    let width = usize::from(area.width).saturating_sub(used);
    spans.push(match note {
        Some((text, _)) => Span::styled(fit(text, width), look::VALUE),
        None => Span::styled("research software, not a medical device  ? help  q quit", look::FOOT),
    });
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// Says on the lower edge of the tiles which of them are shown.
pub(crate) fn draw_page(frame: &mut Frame, area: Rect, text: &str) {
    let width = u16::try_from(text.chars().count()).unwrap_or(area.width).min(area.width);
    let place = Rect {
        x: area.right().saturating_sub(width + 1),
        y: area.bottom().saturating_sub(1),
        width,
        height: 1,
    };
    frame.render_widget(Paragraph::new(text).style(look::UNKNOWN), place.intersection(area));
}
