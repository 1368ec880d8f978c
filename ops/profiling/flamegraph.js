
// SPDX-License-Identifier: Apache-2.0
// Zoom, search and hover of a flame graph; works in a file of its own and inside of a page.
(function () {
    "use strict";
    var script = document.currentScript;
    var svg = (script && script.ownerSVGElement) || document.documentElement;
    var total = Number(svg.dataset.total), width = Number(svg.dataset.width);
    var side = Number(svg.dataset.side), character = Number(svg.dataset.character);
    var details = svg.querySelector(".details"), matched = svg.querySelector(".matched");
    var search = svg.querySelector(".search"), resting = details.textContent;
    var boxes = Array.prototype.map.call(svg.querySelectorAll(".box"), function (group) {
        return {
            group: group, rect: group.querySelector("rect"), text: group.querySelector("text"),
            title: group.querySelector("title").textContent, name: group.dataset.name,
            begin: Number(group.dataset.x), count: Number(group.dataset.w), depth: Number(group.dataset.d)
        };
    });
    var ends = function (box) { return box.begin + box.count; };

    function label(box, pixels) {
        var room = Math.floor((pixels - 6) / character);
        if (room >= box.name.length) return box.name;
        return room > 4 ? box.name.slice(0, room - 2) + ".." : "";
    }

    function place(box, x, pixels) {
        box.rect.setAttribute("x", x);
        box.rect.setAttribute("width", Math.max(0, pixels));
        box.text.setAttribute("x", x + 3);
        box.text.textContent = label(box, pixels);
    }

    // What calls the box becomes as wide as the picture, what does not belong to it goes away.
    function zoom(to) {
        var scale = width / to.count;
        boxes.forEach(function (box) {
            var calls = box.depth < to.depth && box.begin <= to.begin && ends(box) >= ends(to);
            var inside = box.depth >= to.depth && box.begin >= to.begin && ends(box) <= ends(to);
            box.group.classList.toggle("caller", calls);
            box.group.classList.toggle("away", !calls && !inside);
            if (calls) place(box, side, width);
            if (inside) place(box, side + (box.begin - to.begin) * scale, box.count * scale);
        });
        svg.classList.toggle("zoomed", to.depth > 0);
    }

    // The share of samples in any box that matches; one that stands on another counts once.
    function share(found) {
        var sum = 0, end = 0;
        found.sort(function (a, b) { return a.begin - b.begin || b.count - a.count; });
        found.forEach(function (box) {
            if (ends(box) <= end) return;
            sum += ends(box) - Math.max(end, box.begin);
            end = ends(box);
        });
        return 100 * sum / total;
    }

    function find(pattern) {
        var expression = null;
        try {
            expression = pattern ? new RegExp(pattern, "i") : null;
        } catch (error) {
            matched.textContent = "not a regular expression";
            return;
        }
        var found = boxes.filter(function (box) {
            var is = expression !== null && expression.test(box.name);
            box.group.classList.toggle("found", is);
            return is;
        });
        matched.textContent = expression ? "matched: " + share(found).toFixed(2) + " %" : "";
    }

    boxes.forEach(function (box) {
        box.group.addEventListener("mouseover", function () { details.textContent = box.title; });
        box.group.addEventListener("mouseout", function () { details.textContent = resting; });
        box.group.addEventListener("click", function () { zoom(box); });
    });
    svg.querySelector(".reset").addEventListener("click", function () { zoom(boxes[0]); });
    search.addEventListener("input", function () { find(search.value); });
    // In a page with text of its own, Ctrl-F is the page's.
    if (svg === document.documentElement) {
        window.addEventListener("keydown", function (event) {
            if ((event.ctrlKey || event.metaKey) && event.key === "f") {
                event.preventDefault();
                search.focus();
            }
        });
    }
}());
