(function () {
  var box = document.getElementById("filter");
  box.hidden = false;
  box.addEventListener("input", function () {
    var want = box.value.toLowerCase();
    document.querySelectorAll("main > .finding").forEach(function (f) {
      f.hidden = want !== "" && f.textContent.toLowerCase().indexOf(want) < 0;
    });
  });
})();
