// Judges VADER and AFINN on the texts that bench_sentiment_compare wrote; prints the same columns as it does.
//   node others.js TEXTS.tsv     with vader-sentiment and sentiment (AFINN-165) where node finds packages
'use strict';
const fs = require('fs');
const vader = require('vader-sentiment').SentimentIntensityAnalyzer;
const afinn = new (require('sentiment'))();

const methods = {
  'VADER': (text) => vader.polarity_scores(text).compound,
  'AFINN-165': (text) => afinn.analyze(text).comparative,
};

// The chance that a praising text scores above a blaming one; ties count half.
function auc(scores) {
  scores.sort((a, b) => a.value - b.value);
  let ranks = 0, praising = 0;
  for (let i = 0; i < scores.length;) {
    let end = i;
    while (end < scores.length && scores[end].value === scores[i].value) ++end;
    const rank = (i + end + 1) / 2;
    for (; i < end; ++i) {
      if (scores[i].praise) {
        ranks += rank;
        ++praising;
      }
    }
  }
  return (ranks - praising * (praising + 1) / 2) / (praising * (scores.length - praising));
}

const sets = new Map();
for (const line of fs.readFileSync(process.argv[2], 'utf8').split('\n')) {
  const [name, label, text] = line.split('\t');
  if (text === undefined) continue;
  if (!sets.has(name)) sets.set(name, []);
  sets.get(name).push({text, praise: label === '1'});
}
for (const [name, rows] of sets) {
  for (const [method, score] of Object.entries(methods)) {
    const start = process.cpuUsage();
    const scores = rows.map((row) => ({value: score(row.text), praise: row.praise}));
    const used = process.cpuUsage(start);
    const us = (used.user + used.system) / rows.length;
    const right = scores.filter((s) => (s.value > 0) === s.praise).length;
    console.log([name, method, rows.length, (100 * right / rows.length).toFixed(1), auc(scores).toFixed(3),
                 us.toFixed(0)].join('\t'));
  }
}
