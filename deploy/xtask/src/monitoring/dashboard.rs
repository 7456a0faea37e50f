//! Dashboards: made from a short source each, and held against the rules of Grafana's dashboard linter.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::query;
use crate::process::Project;

/// Sources and what is made of them lie side by side.
const FOLDER: &str = "dashboards/grafana";

/// What `@` stands for in a source.
const CHOSEN: &str = r#"job=~"$job", instance=~"$instance""#;

/// A dashboard as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    title: String,
    uid: String,
    description: String,
    job: String,
    panel: Vec<Panel>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Panel {
    title: String,
    description: String,
    unit: String,
    kind: String,
    queries: Vec<Query>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    expr: String,
    legend: String,
}

/// Makes every dashboard anew.
pub(super) fn write(project: &Project) -> Result<()> {
    for (path, text) in made(project)? {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Every dashboard is what its source makes, and follows the rules.
pub(super) fn check(project: &Project) -> Result<()> {
    for (path, text) in made(project)? {
        let found = fs::read_to_string(&path).unwrap_or_default();
        let name = path.display();
        ensure!(
            found == text,
            "{name} is not what its source makes: cargo xtask monitoring --write"
        );
        let wrong = lint(&serde_json::from_str(&text)?);
        ensure!(wrong.is_empty(), "{name}:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// Every query of every dashboard, with where it stands.
pub(super) fn queries(project: &Project) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for source in sources(project)? {
        let source = read(&source)?;
        for panel in &source.panel {
            let place = format!("{} / {}", source.title, panel.title);
            let of_panel = panel.queries.iter();
            all.extend(of_panel.map(|query| (place.clone(), chosen(&query.expr))));
        }
    }
    Ok(all)
}

fn sources(project: &Project) -> Result<Vec<PathBuf>> {
    let folder = project.root.join(FOLDER);
    let entries = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_source = |path: &PathBuf| path.extension().is_some_and(|it| it == "toml");
    let mut sources: Vec<_> = paths.into_iter().filter(is_source).collect();
    ensure!(!sources.is_empty(), "no dashboards in {}", folder.display());
    sources.sort();
    Ok(sources)
}

fn read(path: &Path) -> Result<Source> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{}", path.display()))
}

fn made(project: &Project) -> Result<Vec<(PathBuf, String)>> {
    let one = |path: PathBuf| -> Result<_> {
        let text = serde_json::to_string_pretty(&make(&read(&path)?))?;
        Ok((path.with_extension("json"), text + "\n"))
    };
    sources(project)?.into_iter().map(one).collect()
}

fn chosen(expr: &str) -> String {
    expr.replace('@', CHOSEN)
}

fn data() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn make(source: &Source) -> Value {
    // Three panels beside each other on a grid of 24 columns.
    let panels = source.panel.iter().enumerate().map(|(index, panel)| {
        let place = json!({"x": index % 3 * 8, "y": index / 3 * 8, "w": 8, "h": 8});
        make_panel(panel, index + 1, &place)
    });
    let variable = |name: &str, query: &str| {
        json!({
            "name": name, "label": name, "type": "query", "datasource": data(), "query": query,
            "refresh": 2, "multi": true, "includeAll": true, "allValue": ".+", "sort": 1,
            "current": {"text": "All", "value": "$__all"},
        })
    };
    let up = format!(r#"up{{job="{}"}}"#, source.job);
    json!({
        "title": source.title, "uid": source.uid, "description": source.description,
        "tags": ["ecmo"], "schemaVersion": 38, "editable": false, "graphTooltip": 1,
        "refresh": "10s", "time": {"from": "now-6h", "to": "now"}, "timezone": "browser",
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
            variable("job", &format!("label_values({up}, job)")),
            variable("instance", r#"label_values(up{job=~"$job"}, instance)"#),
        ]},
        "panels": panels.collect::<Vec<_>>(),
    })
}

fn make_panel(panel: &Panel, id: usize, place: &Value) -> Value {
    let is_table = panel.kind == "table";
    let targets = (b'A'..).zip(&panel.queries).map(|(letter, query)| {
        json!({
            "refId": char::from(letter).to_string(), "datasource": data(),
            "expr": chosen(&query.expr), "legendFormat": query.legend,
            "instant": is_table, "range": !is_table, "format": if is_table { "table" } else { "time_series" },
        })
    });
    json!({
        "id": id, "type": panel.kind, "title": panel.title, "description": panel.description,
        "datasource": data(), "gridPos": place, "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
    })
}

/// A part of it, or nothing.
fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or(&Value::Null)
}

/// What Grafana's dashboard linter would say: its rules for templates, panels and targets of Prometheus.
fn lint(board: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, rule: &str| {
        if !holds {
            wrong.push(rule.to_owned());
        }
    };
    let text = |value: &Value, key: &str| {
        at(value, &format!("/{key}")).as_str().unwrap_or_default().trim().to_owned()
    };
    for key in ["title", "uid", "description"] {
        demand(!text(board, key).is_empty(), &format!("no {key}"));
    }
    demand(*at(board, "/editable") == false, "uneditable-dashboard");
    let variables = at(board, "/templating/list").as_array().cloned().unwrap_or_default();
    let variable = |name: &str| variables.iter().find(|it| *at(it, "/name") == *name).cloned();
    let source = variable("datasource").unwrap_or_default();
    let is_source = *at(&source, "/type") == "datasource" && *at(&source, "/query") == "prometheus";
    demand(is_source, "template-datasource-rule");
    for name in ["job", "instance"] {
        let found = variable(name).unwrap_or_default();
        let fits = *at(&found, "/multi") == true && *at(&found, "/allValue") == ".+";
        demand(fits && *at(&found, "/type") == "query", &format!("template-{name}-rule"));
        demand(
            *at(&found, "/refresh") == 2,
            &format!("template-on-time-change-reload-rule: {name}"),
        );
        demand(*at(&found, "/datasource") == data(), &format!("datasource of {name}"));
    }
    let panels = at(board, "/panels").as_array().cloned().unwrap_or_default();
    demand(!panels.is_empty(), "no panels");
    for panel in &panels {
        let title = text(panel, "title");
        let described = !title.is_empty() && !text(panel, "description").is_empty();
        demand(described, &format!("panel-title-description-rule: {title}"));
        demand(*at(panel, "/datasource") == data(), &format!("panel-datasource-rule: {title}"));
        let unit = text(at(panel, "/fieldConfig/defaults"), "unit");
        demand(!unit.is_empty(), &format!("panel-units-rule: {title}"));
        let targets = at(panel, "/targets").as_array().cloned().unwrap_or_default();
        demand(!targets.is_empty(), &format!("panel-no-targets-rule: {title}"));
        for target in &targets {
            let expr = text(target, "expr");
            wrong_in_query(&expr)
                .iter()
                .for_each(|rule| demand(false, &format!("{rule}: {title}")));
        }
    }
    wrong
}

/// Rules for one query. What a recording rule has made has lost the job, and needs no rate.
fn wrong_in_query(expr: &str) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let selectors = query::selectors(expr);
    if selectors.is_empty() {
        wrong.push("target-promql-rule");
    }
    for selector in selectors.iter().filter(|it| !it.contains(':')) {
        if !selector.contains(r#"job=~"$job""#) {
            wrong.push("target-job-rule");
        }
        if !selector.contains(r#"instance=~"$instance""#) {
            wrong.push("target-instance-rule");
        }
        let name = selector.split('{').next().unwrap_or_default();
        let grown = ["_total", "_bucket", "_count"].iter().any(|end| name.ends_with(end));
        let counted = ["rate(", "increase("].iter().any(|of| expr.contains(&format!("{of}{name}")));
        if grown && !counted {
            wrong.push("target-counter-agg-rule");
        }
    }
    let mut rates = expr.split("rate(").skip(1);
    if !rates.all(|rest| rest.contains("[$__rate_interval]") || rest.contains("[1h]")) {
        wrong.push("target-rate-interval-rule");
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dashboard_is_what_its_source_makes_and_follows_the_rules() {
        check(&Project::find().unwrap()).unwrap();
    }

    #[test]
    fn a_query_against_the_rules_is_noticed() {
        let good = r#"sum(rate(ecmo_gateway_a_total{job=~"$job", instance=~"$instance"}[$__rate_interval]))"#;
        assert!(wrong_in_query(good).is_empty());
        assert!(wrong_in_query("ecmo:slo_budget:ratio").is_empty());
        for (bad, rule) in [
            (good.replace("job=~\"$job\", ", ""), "target-job-rule"),
            (good.replace("instance=~\"$instance\"", ""), "target-instance-rule"),
            (good.replace("$__rate_interval", "30s"), "target-rate-interval-rule"),
            (good.replace("rate(", "max("), "target-counter-agg-rule"),
            ("1 + 1".to_owned(), "target-promql-rule"),
        ] {
            assert!(wrong_in_query(&bad).contains(&rule), "{bad}: {rule}");
        }
    }

    #[test]
    fn a_dashboard_against_the_rules_is_noticed() {
        let project = Project::find().unwrap();
        let (_path, text) = made(&project).unwrap().remove(0);
        let board: Value = serde_json::from_str(&text).unwrap();
        let with = |path: &str, value: Value| {
            let mut board = board.clone();
            *board.pointer_mut(path).unwrap() = value;
            lint(&board)
        };
        for (path, value, rule) in [
            ("/uid", json!(""), "no uid"),
            ("/editable", json!(true), "uneditable-dashboard"),
            ("/templating/list/0/query", json!("loki"), "template-datasource-rule"),
            ("/templating/list/1/multi", json!(false), "template-job-rule"),
            ("/templating/list/2/refresh", json!(0), "template-on-time-change-reload-rule"),
            ("/panels/0/description", json!(" "), "panel-title-description-rule"),
            ("/panels/0/datasource", json!({}), "panel-datasource-rule"),
            ("/panels/0/fieldConfig/defaults/unit", json!(""), "panel-units-rule"),
            ("/panels/0/targets", json!([]), "panel-no-targets-rule"),
        ] {
            let wrong = with(path, value);
            assert!(wrong.iter().any(|it| it.starts_with(rule)), "{path}: {wrong:?}");
        }
    }
}
