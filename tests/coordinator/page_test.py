# SPDX-License-Identifier: Apache-2.0
"""The page at `/` in a headless Chromium, under load: what it shows is what the cluster says.

Usage: page_test.py PATH/TO/budtiktok PATH/TO/budtiktok-load [--pictures FOLDER]
Exit 77 where there is no Chromium.
"""
import os
import re
import sys
import tempfile
import time
import unittest
import urllib.request

import webdriver

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from running_cluster import Cluster, wait_for

PROGRAM = LOAD = PICTURES = None
PARTS = ["queue_wait", "ipc_transfer", "tokenization", "return"]
SCHEMES = ("light", "dark")
TEXT = "Where does each microsecond go? Zoë’s naïve café: 🙂👩\u200d🚀 antidisestablishmentarianism,\n\tline two.  End"
TAB = "\ue004"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(PROGRAM))
        load = cls.cluster.load(LOAD, "--rate", "300", "--size", "lognormal:4096,1", "--duration", "300")
        cls.addClassCleanup(lambda: (load.terminate(), load.wait()))
        # A browser that starts takes all of a small machine for seconds.
        wait_for(lambda: cls.cluster.ask("/debug/latency")["requests_total"] > 50)
        cls.browser = cls.enterClassContext(webdriver.Browser())
        cls.browser.look(1400, 1200, "light", reduced=True)
        cls.browser.open(cls.cluster.url + "/")
        wait_for(lambda: cls.text("#tokens-rate") not in ("–", "0"))

    @classmethod
    def text(cls, selector):
        return cls.browser.run("return document.querySelector(arguments[0]).textContent", selector)

    def choose(self, name, value):
        self.browser.run("document.querySelector(`input[name=\"${arguments[0]}\"][value=\"${arguments[1]}\"]`).click()", name, value)

    def write(self, text, model="wordpiece"):
        """Types, and waits until the answer to the whole text is there."""
        before = self.browser.run("return document.querySelector('#tokens').firstChild")
        self.browser.run("""const text = document.querySelector("#text"); document.querySelector("#model").value = arguments[1];
            text.value = arguments[0]; text.dispatchEvent(new Event("input", {bubbles: true}))""", text, model)
        wait_for(lambda: self.browser.run("return document.querySelector('#tokens').firstChild") != before)
        return self.browser.run("return [...document.querySelectorAll('#tokens li')].map(li => [Number(li.dataset.id), "
                                "li.querySelector('b').textContent, li.querySelectorAll('small')[1].textContent])")

    def test_a_nothing_was_complained_about_in_the_console(self):
        self.write(TEXT)
        time.sleep(2.5)
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.text("#state"), "live")

    def test_a_script_from_elsewhere_does_not_run_and_is_complained_about(self):
        self.browser.run("""const script = document.createElement("script"); script.textContent = "window.was_here = 1"; document.body.append(script);
            const style = document.createElement("style"); style.textContent = "body { opacity: 0 }"; document.head.append(style)""")
        self.assertEqual(self.browser.run("return [window.was_here ?? null, getComputedStyle(document.body).opacity]"), [None, "1"])
        complaints = wait_for(self.browser.complaints)
        self.assertTrue(all("Content Security Policy" in entry["message"] for entry in complaints), complaints)
        self.assertEqual(len(complaints), 2)

    def test_bars_are_as_wide_as_the_json_says(self):
        # One answer is shown again and again, so that both sides look at the same figures.
        answer = self.cluster.ask("/debug/latency")
        shares = """const answer = arguments[0]; answer.at = performance.now(); show(answer);
            return [...document.querySelectorAll("#bars .bar")].map(bar => [bar.dataset.row, [...bar.children].map(i => parseFloat(i.style.width))])"""
        for window in ("10s", "60s", "since_start"):
            figures = answer["windows"][window]
            of = {row: [figures[f"{part}_{row}_us"] for part in PARTS] for row in ("mean", "p50", "p90", "p99", "p999")}
            self.assertGreater(figures["tokenization_count"], 0)
            self.choose("window", window)
            for scale, whole in (("share", None), ("time", max(map(sum, of.values())))):
                self.choose("scale", scale)
                bars = dict(self.browser.run(shares, answer))
                self.assertEqual(set(bars), set(of))
                for row, widths in bars.items():
                    for width, value in zip(widths, of[row], strict=True):
                        self.assertAlmostEqual(width, 100 * value / (whole or sum(of[row])), delta=0.01)
        self.choose("scale", "share")
        self.choose("window", "10s")
        pixels = self.browser.run("return [...document.querySelectorAll('[data-row=\"p99\"]')].map(bar => [bar.clientWidth, "
                                  "[...bar.children].reduce((sum, i) => sum + i.getBoundingClientRect().width, 0)])")
        self.assertAlmostEqual(pixels[0][0], pixels[0][1], delta=2)

    def test_tables_and_workers_have_the_figures(self):
        answer = self.cluster.ask("/debug/latency")
        rows = self.browser.run("const answer = arguments[0]; answer.at = performance.now(); show(answer); const cells = row => [...row.cells].map(c => c.textContent);"
                                "return [[...document.querySelector('#latency').tBodies[0].rows].map(cells), [...document.querySelector('#workers').tBodies[0].rows].map(cells)]", answer)
        number = lambda text: float(text.replace(",", ""))
        window = answer["windows"]["10s"]
        for part, row in zip(PARTS, rows[0]):
            self.assertEqual(row[0], part)
            for text, column in zip(row[1:], ("mean_us", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "count"), strict=True):
                self.assertAlmostEqual(number(text), window[f"{part}_{column}"], delta=0.51)
        for worker, row in zip(answer["workers"], rows[1], strict=True):
            self.assertEqual((row[0], row[1]), (str(worker["worker"]), "ready"))
            self.assertEqual(row[2], f"{100 * worker['utilization']:.0f} %")
            self.assertAlmostEqual(number(row[8]), worker["windows"]["10s"]["tokenization_p99_us"], delta=0.51)

    def test_figures_move_and_are_kept_over_time(self):
        points = lambda: self.browser.run("return document.querySelector('#tokens-chart polyline')?.getAttribute('points') ?? ''")
        first = wait_for(points)
        self.assertTrue(wait_for(lambda: points() != first and len(points().split()) >= 3))
        self.assertEqual(self.browser.run("return document.querySelectorAll('#latency-chart polygon').length"), 4)
        self.assertRegex(self.text("#tokens-rate"), r"^[0-9]")

    def test_tokens_are_those_of_the_cluster_and_stand_over_their_text(self):
        for model in ("wordpiece", "bpe"):
            shown = self.write(TEXT, model)
            wanted = self.cluster.ask("/tokenize", {"inputs": TEXT, "model": model})[0]
            self.assertEqual([id for id, _, _ in shown], [token["id"] for token in wanted])
            readable = str.maketrans({"\n": "⏎", "\t": "⇥", " ": "·"})
            for (_, text, place), token in zip(shown, wanted, strict=True):
                if token["start"] is None:
                    self.assertEqual((text, place), (token["text"], "added"))
                    continue
                self.assertEqual(place, f"{token['start']}–{token['stop']}")
                if text != "…":
                    self.assertEqual(text, TEXT[token["start"]:token["stop"]].translate(readable))
            rows = self.browser.run("return [...document.querySelector('#tokens-table').tBodies[0].rows].map(row => Number(row.cells[1].textContent))")
            self.assertEqual(rows, [token["id"] for token in wanted])

    def test_a_request_that_fails_is_said(self):
        self.browser.run("document.querySelector('#model').append(new Option('nobody'))")
        self.browser.run("document.querySelector('#text').value = ''; document.querySelector('#text').dispatchEvent(new Event('input'))")
        wait_for(lambda: self.text("#count") == "")
        self.browser.run("document.querySelector('#model').value = 'nobody'; document.querySelector('#text').value = 'a';"
                         "document.querySelector('#text').dispatchEvent(new Event('input'))")
        self.assertTrue(wait_for(lambda: "no tokenizer of this name" in self.text("#count")), self.text("#count"))
        self.browser.run("document.querySelector('#model').lastChild.remove()")
        self.browser.complaints()  # the 404 itself

    def test_everything_has_a_name_and_the_keyboard_reaches_it_in_order(self):
        self.browser.open(self.cluster.url + "/")
        wait_for(lambda: self.browser.run("return document.querySelectorAll('#model option').length") == 2)
        reached = []
        for _ in range(20):
            self.browser.press(TAB)
            reached.append(self.browser.run("const a = document.activeElement; return a === document.body ? null : (a.id || a.name || a.getAttribute('aria-label') || a.textContent)"))
        wanted = ["Skip to the figures", "metrics", "latency", "window", "scale", "Latency in microseconds", "over", "as a table", "Workers",
                  "text", "model", "special", "ids and offsets as a table"]
        self.assertEqual([name for name in reached if name in wanted][:len(wanted)], wanted)
        unnamed = []
        for selector in ("section", "[role=region]", "[role=img]", "table", "fieldset", "input", "select", "textarea", "nav", "a", "summary", "ol"):
            for element in self.browser.do("POST", "/elements", {"using": "css selector", "value": selector}):
                element = element[webdriver.ELEMENT]
                hidden = self.browser.run("return arguments[0].checkVisibility() === false", {webdriver.ELEMENT: element})
                if not hidden and not self.browser.name_of(element):
                    unnamed.append(selector)
        self.assertEqual(unnamed, [])
        self.assertEqual(self.browser.run("return [...document.querySelectorAll('h1,h2')].map(h => h.tagName).join(' ')"), "H1" + " H2" * 6)

    def test_words_can_be_read_in_both_schemes_and_nothing_sticks_out(self):
        self.addCleanup(self.browser.look, 1400, 1200, "light", True)
        for width in (400, 1400):
            for scheme in SCHEMES:
                self.browser.look(width, 1200, scheme, reduced=True)
                self.assertEqual(self.browser.run("return document.documentElement.scrollWidth"), width, (width, scheme))
                self.assertEqual(self.browser.run(CONTRAST), [], (width, scheme))
        moves = lambda: self.browser.run("return getComputedStyle(document.querySelector('.bar i')).transitionDuration")
        self.assertEqual(moves(), "0s")
        self.browser.look(1400, 1200, "light")
        self.assertNotEqual(moves(), "0s")

    def test_pictures(self):
        if not PICTURES:
            self.skipTest("no --pictures FOLDER")
        self.browser.open(self.cluster.url + "/")
        time.sleep(15)
        self.write(TEXT.replace("🙂👩\u200d🚀 ", "").replace("\n\tline two.  End", " and a second line"))
        for width in (400, 1400):
            for scheme in SCHEMES:
                self.browser.look(width, 1000, scheme)
                self.browser.look(width, self.browser.run("return document.documentElement.scrollHeight"), scheme)
                time.sleep(1.2)
                self.browser.picture(os.path.join(PICTURES, f"page-{width}-{scheme}.png"))


# Text whose contrast with what is behind it is below 4.5 (WCAG 2.1, AA), by the colours that were computed.
CONTRAST = """
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgb = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = node => { for (; node; node = node.parentElement) { const colour = rgb(getComputedStyle(node).backgroundColor); if (colour[3] === 255) return colour; } return [255, 255, 255]; };
const faults = [];
for (const node of document.querySelectorAll("body *")) {
  if (![...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()) || !node.checkVisibility() || node.closest(".hidden, script, style, option, svg")) continue;
  const ink = rgb(getComputedStyle(node).color), ground = behind(node), opacity = Number(getComputedStyle(node).opacity);
  const mixed = ink.slice(0, 3).map((v, i) => v * opacity + ground[i] * (1 - opacity));
  const [a, b] = [light(mixed), light(ground)].sort((x, y) => y - x);
  if ((a + .05) / (b + .05) < 4.5) faults.push(`${node.tagName}.${node.className} ${((a + .05) / (b + .05)).toFixed(2)}`);
}
return faults;
"""


class End(unittest.TestCase):
    def test_the_page_says_that_the_cluster_drains_or_does_not_answer(self):
        with webdriver.Browser() as browser:
            state = lambda: browser.run("return [document.querySelector('#state').dataset.state, document.querySelector('#state').textContent]")
            with Cluster(PROGRAM) as cluster:
                browser.open(cluster.url + "/")
                self.assertTrue(wait_for(lambda: state() == ["live", "live"]), state())
                # In one turn with the question, before the next look shows the truth again.
                shown = lambda change: browser.run("show({...last, ...arguments[0]}); return document.querySelector('#state').textContent", change)
                self.assertEqual(shown({"draining": True}), "draining: it finishes what it has and takes no more")
                self.assertEqual(shown({"draining": False, "workers_ready": 0}), "no worker is ready")
            self.assertTrue(wait_for(lambda: "no answer since" in state()[1]), state())
            self.assertTrue(browser.run("return document.querySelector('main').hasAttribute('data-stale')"))
            browser.run("const text = document.querySelector('#text'); text.value = 'a'; text.dispatchEvent(new Event('input'))")
            self.assertTrue(wait_for(lambda: browser.run("return document.querySelector('#count').textContent") == "no answer from the cluster"))


class Token(unittest.TestCase):
    def test_the_box_asks_for_the_token_where_others_can_reach_the_cluster(self):
        with tempfile.NamedTemporaryFile("w") as file, webdriver.Browser() as browser:
            file.write("correct-horse\n")
            file.flush()
            with Cluster(PROGRAM, "--http", "0.0.0.0:0", "--http-token-file", file.name) as cluster:
                count = lambda: browser.run("return document.querySelector('#count').textContent")
                browser.open(cluster.url.replace("0.0.0.0", "127.0.0.1") + "/")
                wait_for(lambda: browser.run("return document.querySelectorAll('#model option').length") == 2)
                self.assertFalse(browser.run("return document.querySelector('#token').checkVisibility()"))
                browser.type("#text", "Hello")
                self.assertTrue(wait_for(lambda: "a token is needed" in count()), count())
                browser.type("#token", "correct-horse")
                self.assertTrue(wait_for(lambda: count().startswith("3 tokens, ")), count())


class Headers(unittest.TestCase):
    def test_the_policy_allows_what_the_page_has_and_nothing_else(self):
        with Cluster(PROGRAM) as cluster, urllib.request.urlopen(cluster.url + "/") as answer:
            policy, page = answer.headers["Content-Security-Policy"], answer.read().decode()
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
        self.assertIn("default-src 'none'", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(re.findall(r"(?:src|href)=\"(?!data:|#|/)([^\"]*)", page), [])
        self.assertEqual(re.findall(r"\son\w+=|\sstyle=", page), [])


if __name__ == "__main__":
    if not webdriver.is_here():
        print("chromium and chromium-driver are not here (tools/dev/install-packages profile)")
        sys.exit(77)
    PROGRAM, LOAD = sys.argv[1:3]
    del sys.argv[1:3]
    if sys.argv[1:2] == ["--pictures"]:
        PICTURES = sys.argv[2]
        del sys.argv[1:3]
    unittest.main()
