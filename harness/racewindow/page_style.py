"""How every page looks: on a wide window and on a phone, light and dark, and on paper."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--edge:#848d97;--paper:#fff;--card:#f6f8fa;
--first:#9a4b00;--first-bg:#fff1dc;--second:#0b57b0;--second-bg:#e3effd;--wrong:#b3181f;--wrong-bg:#fde7e7;--good:#1a6b30;--link:#0b57b0}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#a3adb8;--line:#3a424c;--edge:#77808b;
--paper:#12161b;--card:#1b2129;--first:#ffb45e;--first-bg:#3a2a12;--second:#83bbff;--second-bg:#14294a;--wrong:#ff8f8f;--wrong-bg:#43191b;
--good:#6fd68b;--link:#83bbff}}
*{box-sizing:border-box}
[hidden]{display:none!important}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1280px;margin:0 auto;padding:10px 16px 48px}
h1{font-size:20px;line-height:1.25;margin:0 0 4px}
h2{font-size:17px;margin:26px 0 6px}
h3{font-size:15px;margin:0 0 2px}
p{margin:0 0 6px}
a{color:var(--link)}
code,pre,.steps,.num{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code,pre{font-size:13px;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:8px 10px;margin:4px 0 8px;
white-space:pre-wrap}
.message{white-space:pre-line}
.soft{color:var(--soft)}.result{font-weight:600}
.wrong{color:var(--wrong)}.good{color:var(--good)}.first{color:var(--first)}.second{color:var(--second)}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--paper);padding:6px;z-index:9}
:focus-visible{outline:3px solid var(--link);outline-offset:1px}
.lead{display:grid;gap:2px 14px;grid-template-columns:max-content 1fr;margin:0 0 6px}
.lead dt{font-weight:600}.lead dd{margin:0;overflow-wrap:anywhere}
.orders{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:8px 20px}
.orders.one{grid-template-columns:minmax(0,1fr)}
.orders>article{display:grid;grid-template-columns:max-content minmax(0,1fr);align-content:start}
.orders>article>div{display:contents}.orders .steps{grid-column:1/-1}
.orders>article>h3{grid-area:1/2;align-self:end;padding:0 0 6px 56px}
.names{grid-area:1/1;display:block;overflow:visible;font-size:11px;fill:var(--soft)}
ol.steps{list-style:none;margin:0;padding:0;font-size:12px;line-height:16px}
ol.steps>li{position:relative}
.row{min-height:21px;padding:2px 4px 2px 0;cursor:default}
.row>svg{position:absolute;left:0;top:0;height:100%;overflow:visible}
.row .what{display:block;overflow:hidden;white-space:nowrap;text-overflow:ellipsis}
.row b{font-weight:600}
.row.first{background:var(--first-bg)}.row.second{background:var(--second-bg)}.row.bad{background:var(--wrong-bg)}
.row.first .what,.row.second .what,.row.bad .what{color:var(--ink);white-space:normal}
.row.first b{color:var(--first)}.row.second b{color:var(--second)}.row.bad b{color:var(--wrong)}
.tick,.gap{color:var(--soft);font-size:11px;min-height:17px}
.rail{stroke:var(--line);stroke-width:1}
.dot{fill:var(--soft)}.arrow{stroke:var(--soft);stroke-width:1.3}.head{fill:var(--soft)}
.first .dot{fill:var(--first)}.second .dot{fill:var(--second)}.bad .dot{fill:var(--wrong)}
.struck .dot{fill:var(--wrong)}
.landmark{fill:var(--ink)}
.badge{color:var(--soft);border:1px solid var(--line);border-radius:4px;padding:0 3px;font-size:10px}
.mark{fill:var(--paper);font-size:9px;font-weight:700;text-anchor:middle}
.more{display:none;position:absolute;left:20px;right:0;top:100%;z-index:5;background:var(--paper);color:var(--ink);
border:1px solid var(--soft);border-radius:6px;box-shadow:0 4px 14px #0006;padding:8px 10px;overflow-wrap:anywhere}
.row:hover>.more{display:block;pointer-events:none}
.row:focus>.more,.row:focus-within>.more{display:block;pointer-events:auto}
.row.quiet>.more{display:none}
.row:hover,.row:focus{z-index:6}
.more pre{font-size:12px;margin:4px 0}.more ul{margin:2px 0;padding-left:16px}
form{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:center;margin:6px 0;font-size:13px}
select,button,input[type=number]{font:inherit;color:var(--ink);background:var(--card);border:1px solid var(--edge);
border-radius:5px;padding:2px 6px;min-height:26px;max-width:220px}
input[type=number]{width:5.5em}input[type=radio]{margin:0;width:16px;height:16px;vertical-align:-3px;accent-color:var(--link)}
button{cursor:pointer}
fieldset{border:0;margin:0;padding:0;display:flex;gap:12px;align-items:center}legend{float:left;padding:0}
label{display:inline-flex;align-items:center;gap:5px;min-height:26px}
ol.story{padding-left:0;list-style:none}
ol.story li{padding-left:7.2em;text-indent:-7.2em;margin:2px 0}
ol.story time{display:inline-block;width:7.2em;text-indent:0;color:var(--soft);font-size:13px}
.card{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:8px 12px;margin:0 0 8px}
.wide{overflow-x:auto}.wide:focus-visible{outline-offset:-3px}
table{border-collapse:collapse;font-size:13px;width:auto;min-width:min(100%,640px)}
td>a:only-child,th[scope=col]{white-space:nowrap}.groups th[scope=col]{white-space:normal}
caption{text-align:left;color:var(--soft);padding:2px 0;max-width:calc(100vw - 20px)}
th,td{text-align:left;vertical-align:top;
border-bottom:1px solid var(--line);padding:3px 16px 3px 0;overflow-wrap:break-word}
th{font-weight:600}td.num,th.num{white-space:nowrap;overflow-wrap:normal}
tbody.block{content-visibility:auto}
.every caption{display:none}.every table{table-layout:fixed;width:100%;min-width:640px}
.every td:nth-child(-n+2){font-family:inherit;font-variant-numeric:tabular-nums}
.every th:first-child{width:4.5em}.every th:nth-child(2){width:8.5em}.every th:nth-child(3){width:13em}
.every th:nth-child(5){width:16em}
tr.first{background:var(--first-bg)}tr.second{background:var(--second-bg)}tr.bad{background:var(--wrong-bg)}
tr.first,tr.second{color:inherit}
summary{cursor:pointer;font-weight:600;padding:4px 0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:14px 28px}
.chart{max-width:560px;break-inside:avoid}.chart>svg{width:100%;height:auto;display:block;overflow:visible}
.chart h3{margin:0}.chart p{font-size:13px;margin:2px 0}.chart summary{font-size:13px;font-weight:400}
.chart text{fill:var(--soft);font-size:12px;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.chart .letter{fill:var(--ink);font-weight:600}.chart text.bad{fill:var(--wrong)}
.legend,.marks{list-style:none;padding:0;margin:0;font-size:13px;display:flex;flex-wrap:wrap;gap:0 16px}
.marks{color:var(--soft);display:block}
.chart path,.legend line{fill:none;stroke:var(--ink);stroke-width:2}
.truth{stroke:var(--good)!important;stroke-dasharray:6 4}.said1{stroke:var(--first)!important;stroke-dasharray:10 3}
.said2{stroke:var(--link)!important;stroke-dasharray:2 3}
.chart .off,.legend .off{stroke:var(--wrong);stroke-width:4}
.chart .cross{stroke:var(--wrong);stroke-width:2.5}
.moment{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}.moment.bad{stroke:var(--wrong);stroke-dasharray:none}
td.amount,table:has(td.amount) thead th:last-child{text-align:right}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:10px}.card dl{margin:0}
.card dt{font-weight:600}.card dd{margin:0 0 6px}ul.facts{padding-left:18px;margin:8px 0}
td.link{white-space:nowrap}ul.plain{list-style:none;padding:0;margin:2px 0}
.chip{border:1px solid var(--line);border-radius:9px;padding:0 7px;white-space:nowrap;background:var(--card)}
.chip+.chip{margin-left:4px}th .chip{font-weight:400}
.fails{color:var(--wrong)}.proved{color:var(--good)}.doubt{color:var(--first)}.inferred{color:var(--soft)}
.demand{display:block;font-weight:400;white-space:normal}
.cells td{white-space:nowrap}.cells tbody tr:hover{background:var(--card)}
@media (max-width:700px){.cells thead{display:none}.cells tr,.cells td,.cells tbody th{display:block}
.cells tr{border:1px solid var(--line);border-radius:6px;padding:4px 8px;margin:0 0 8px}.cells th,.cells td{border:0}
.cells .chip{white-space:normal}.cells td::before{content:attr(data-of) ": ";color:var(--soft)}
.cells td{white-space:normal}}
@media (max-width:700px){.groups thead{display:none}.groups tr{display:flex;flex-wrap:wrap;gap:2px 16px;
border:1px solid var(--line);border-radius:6px;padding:6px 8px;margin:0 0 8px}.groups td{border:0;padding:0}
.groups tbody,.groups caption{display:block}.groups td:nth-child(3){order:-1;width:100%}
.groups td[data-of]::before{content:attr(data-of) ": ";color:var(--soft);font-family:system-ui,sans-serif}}
figure{margin:0}.curve{max-width:100%;height:auto}
.curve text{fill:var(--soft);font-size:11px}.curve polyline{fill:none;stroke:var(--second);stroke-width:2}
@media (max-width:900px){.orders{grid-template-columns:minmax(0,1fr)}main{padding:8px 10px 40px}
.lead{grid-template-columns:minmax(0,1fr)}.lead dd{margin-bottom:6px}.row .what{white-space:normal}
.orders>article>h3{padding-left:44px}select{max-width:112px}
th,td{padding-right:8px}
ol.story li{padding-left:0;text-indent:0}ol.story time{display:block}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--card:#fff;--first:#9a4b00;
--first-bg:#fff1dc;--second:#0b57b0;--second-bg:#e3effd;--wrong:#b3181f;--wrong-bg:#fde7e7;--good:#1a6b30;--link:#000}
form,.skip,.more{display:none!important}.row .what{white-space:normal}*{print-color-adjust:exact}
main{max-width:none;padding:0}}
"""
